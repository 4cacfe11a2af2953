import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { useDataFolder } from './support/data-folder.ts';
import { findFourPorts } from './support/free-port.ts';
import { runFarebox, startServerChild } from './support/server-child.ts';

/* What keeps a server from starting or going on, as whoever typed the command reads it. */
const dataFolder = useDataFolder();
const takenOver = useDataFolder();

async function makeParent(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'farebox-fault-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function occupy(port: number): Promise<void> {
  const squatter = createServer().listen(port, '127.0.0.1');
  await once(squatter, 'listening');
  onTestFinished(() => void squatter.close());
}

test('every port that is taken is told before anything is made, with who needs it and how to choose another; the doctor says the same', async () => {
  const [first, parent] = [await findFourPorts(), await makeParent()];
  const needs = ['the HTTP server', 'the local chain', 'the simulated OpenRouter', 'the embedded PostgreSQL'];
  for (const offset of needs.keys()) {
    await occupy(first + offset);
  }
  const settings = { DATA_DIR: join(parent, 'data'), PORT: String(first) };
  const [start, doctor] = [await runFarebox(['serve'], settings), await runFarebox(['doctor'], settings)];
  const lines = start.output.trim().split('\n');
  expect(lines).toEqual(
    needs.map((purpose, offset) => {
      const what = `Port ${first + offset} of 127\\.0\\.0\\.1, needed for ${purpose}, is taken by another program`;
      return expect.stringMatching(new RegExp(`^${what} .*PORT=\\d+ npm start$`)) as string;
    }),
  );
  expect([start.code, doctor.code]).toEqual([1, 1]);
  expect(await readdir(parent)).toEqual([]);
  for (const line of lines) {
    const [detail = '', mend = ''] = line.split(/(?<=\))\. /);
    expect(doctor.output).toContain(detail);
    expect(doctor.output).toContain(mend);
  }
});

test.each<[string, Record<string, string>, RegExp]>([
  ['a folder below /proc', { DATA_DIR: '/proc/farebox/data' }, /^DATA_DIR: \/proc\/farebox\/data cannot be written/],
  ['a HOST that is not of this machine', { HOST: '203.0.113.9' }, /^HOST: 203\.0\.113\.9 is not an address of this/],
  [
    'a database that does not answer',
    { DATABASE_URL: 'postgres://nobody:canary-word@127.0.0.1:1/nothing' },
    /^DATABASE_URL: .*ECONNREFUSED/,
  ],
])(
  '%s ends the start in one sentence that names the variable, and the doctor says the same',
  async (...[, given, says]) => {
    const parent = await makeParent();
    const settings = { DATA_DIR: join(parent, 'data'), PORT: '0', ...given };
    const [start, doctor] = [await runFarebox(['serve'], settings), await runFarebox(['doctor'], settings)];
    expect(start.output.trim()).toMatch(says);
    expect(start.output.trim().split('\n')).toHaveLength(1);
    expect(doctor.output).toContain(start.output.trim().slice(0, 40));
    expect([start.code, doctor.code]).toEqual([1, 1]);
    expect(start.output + doctor.output).not.toContain('canary-word');
    expect(await readdir(parent)).toEqual([]);
  },
);

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
const users: [string, number | undefined][] = isRoot
  ? [
      ['root', undefined],
      ['an ordinary user', NOBODY],
    ]
  : [['an ordinary user', undefined]];

test.runIf(hasPrivilegedPorts()).each(users.filter(([, uid]) => uid === undefined || isOpenToAll(import.meta.dirname)))(
  'PORT=80 as %s ends the start in sentences that name the ports, before anything is made, and the doctor says the same',
  async (...[, uid]) => {
    const parent = await makeParent();
    await chmod(parent, 0o777);
    const settings = { DATA_DIR: join(parent, 'data'), PORT: '80' };
    const [start, doctor] = [await runFarebox(['serve'], settings, uid), await runFarebox(['doctor'], settings, uid)];
    const lines = start.output.trim().split('\n');
    const named = /^Port 8\d of 127\.0\.0\.1, needed for [^.]+ \(E[A-Z]+\)(: [^.]+)?\. [A-Z].*\.?$/;
    expect(lines.filter((line) => !named.test(line))).toEqual([]);
    expect(lines.at(-1)).toMatch(/^Port 83 .*the embedded PostgreSQL, .*\(EACCES\)\. .*PORT=4020 .*DATABASE_URL/);
    expect(doctor.output).toContain(lines.at(-1)?.split(/(?<=\))\. /)[0]);
    expect([start.code, doctor.code]).toEqual([1, 1]);
    expect(await readdir(parent)).toEqual([]);
  },
);

/** A container may let every user listen on every port. */
function hasPrivilegedPorts(): boolean {
  const first = '/proc/sys/net/ipv4/ip_unprivileged_port_start';
  return process.platform !== 'win32' && (!existsSync(first) || Number(readFileSync(first, 'utf8')) > 83);
}

/** May every user pass through the folder and those above it? */
function isOpenToAll(folder: string): boolean {
  return (statSync(folder).mode & 0o001) !== 0 && (dirname(folder) === folder || isOpenToAll(dirname(folder)));
}

test('a start on the same ports right after kill -9 takes over what the first one left there', async () => {
  const settings = { DATA_DIR: takenOver.path, PORT: String(await findFourPorts()), LOG_LEVEL: 'error' };
  await (await startServerChild(settings)).kill();
  expect((await takenOver.listProcesses()).map(({ command }) => command).join()).toContain('postgres');
  const second = await startServerChild(settings);
  expect((await fetch(`${second.url}/readyz`)).status).toBe(200);
  expect(await second.stop()).toBe(0);
});

test('a data folder that is deleted under a running server ends it in one sentence and leaves no process', async () => {
  const server = await startServerChild({ DATA_DIR: dataFolder.path, PORT: '0', LOG_LEVEL: 'error' });
  const before = server.output();
  await rm(dataFolder.path, { recursive: true, force: true, maxRetries: 5 });
  expect(await server.ended()).toBe(1);
  const said = server.output().slice(before.length).trim();
  expect(said.split('\n').at(-1)).toBe(
    `The data folder ${dataFolder.path} was deleted while Farebox ran on it, so it has stopped.`,
  );
  expect(said).not.toMatch(/^\s+at /m);
  expect(await dataFolder.listProcesses()).toEqual([]);
});
