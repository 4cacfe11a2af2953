import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { useDataFolder } from './support/data-folder.ts';
import { startLauncher } from './support/server-child.ts';

/** `execFile` does not pass `argv0` on; `spawn` does. */
async function runAsOld(args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, args, { argv0: 'old', stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: code as number | null, stdout, stderr };
}

const dataFolder = useDataFolder();
const launcher = join(import.meta.dirname, '../bin/farebox.mjs');

/** The launcher as an old Node runs it: the same text, but a process that is called "old" reads an old version. */
async function copyLauncher(folder: string): Promise<string> {
  const source = await readFile(launcher, 'utf8');
  const copy = join(folder, `old-${process.pid}.mjs`);
  await writeFile(
    copy,
    source.replaceAll('process.versions.node', `(process.argv0 === 'old' ? '20.1.0' : process.versions.node)`),
  );
  return copy;
}

test('the launcher says what to do where there is neither a new Node nor one in the packages', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'farebox-launcher-'));
  expect(await runAsOld([await copyLauncher(folder), 'serve'])).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/needs Node 24 or newer; this is Node 20\.1\.0.*npm ci.*install Node 24/s),
  });
  await rm(folder, { recursive: true });
});

test('the launcher runs on the Node that the lockfile brings when its own is too old', async () => {
  const copy = await copyLauncher(join(import.meta.dirname, '../bin'));
  try {
    const { stdout } = await runAsOld([copy, 'version']);
    expect(stdout).toMatch(/^farebox \d+\.\d+\.\d+ on Node (2[4-9]|[3-9]\d)/);
  } finally {
    await rm(copy);
  }
});

test('a server whose launcher is killed with -9 stops by itself and leaves no process and no port behind', async () => {
  const copy = await copyLauncher(join(import.meta.dirname, '../bin'));
  try {
    const server = await startLauncher(copy, { DATA_DIR: dataFolder.path, PORT: '0' });
    const isListening = () =>
      fetch(`${server.url}/healthz`).then(
        () => true,
        () => false,
      );
    expect(await isListening()).toBe(true);
    expect(await dataFolder.listProcesses()).not.toEqual([]);
    await server.kill();
    await expect.poll(isListening, { timeout: 50_000, interval: 50 }).toBe(false);
    await expect.poll(() => dataFolder.listProcesses(), { timeout: 50_000, interval: 50 }).toEqual([]);
    expect(server.output()).toContain('Stopping: calls under way are finished first.');
  } finally {
    await rm(copy);
  }
});
