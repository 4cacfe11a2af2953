import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { measureMedia } from '#media/index.ts';
import { readSnapshot } from '#models/index.ts';
import { startOpenRouterSimulator } from '#sandbox/index.ts';
import { withMediaModels } from '#sandbox/openrouter/media/media-models.ts';
import { useDataFolder } from './support/data-folder.ts';
import { findFourPorts } from './support/free-port.ts';
import { runFarebox, startServerChild } from './support/server-child.ts';

const folder = useDataFolder();
const ofChosenPort = useDataFolder();

async function makeNewFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'farebox-new-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

test('sync-models beside a running server reads the catalogue again and shows the counts', async () => {
  const settings = { DATA_DIR: folder.path, PORT: String(await findFourPorts()) };
  const server = await startServerChild(settings);
  const { code, output } = await runFarebox(['sync-models'], settings);
  expect(output).toMatch(/"status": "applied"/);
  const { models } = await readSnapshot();
  const listed = Number(/"listed": (\d+)/.exec(output)?.[1]);
  expect(listed).toBe(withMediaModels(models).length);
  expect(code).toBe(0);
  expect(await server.stop()).toBe(0);
});

test('sync-models in the sandbox without a server says what to do and leaves the folder alone', async () => {
  const path = await makeNewFolder();
  const { code, output } = await runFarebox(['sync-models'], {
    DATA_DIR: path,
    PORT: String(await findFourPorts()),
  });
  expect(output).toMatch(/start the server first \(npm start\).* or set OPENROUTER_BASE_URL/);
  expect(output).not.toMatch(/^\s+at /m);
  expect(code).toBe(1);
  expect(await readdir(path)).toEqual([]);
});

test.each([['demo'], ['sync-models']])(
  '%s with PORT=0 says that PORT must be that of the server, since it cannot know which one was chosen',
  async (command) => {
    const path = await makeNewFolder();
    const { code, output } = await runFarebox([command], toSettings(path));
    expect(output).toMatch(/PORT: .*the port of the running server/);
    expect(output).toContain(`PORT=… npm run ${command}`);
    expect(code).toBe(78);
    expect(await readdir(path)).toEqual([]);
  },
);

test('a server that chose its port says with which command the first call is paid', async () => {
  const server = await startServerChild({ DATA_DIR: ofChosenPort.path, PORT: '0', LOG_LEVEL: 'error' });
  const command = /First paid call +(.*) npm run demo/.exec(server.output())?.[1];
  expect(command).toBe(`PORT=${new URL(server.url).port}`);
  expect(await server.stop()).toBe(0);
});

test('commands bring a folder that was never started up to date by themselves', async () => {
  const simulator = await startOpenRouterSimulator({
    port: 0,
    measure: measureMedia,
    catalogue: (await readSnapshot()).models,
  });
  onTestFinished(() => simulator.stop());
  const fresh = toSettings(await makeNewFolder());
  const synced = await runFarebox(['sync-models'], { ...fresh, OPENROUTER_BASE_URL: simulator.url });
  expect(synced.output).toMatch(/"status": "applied"/);
  expect(synced.code).toBe(0);
  const rotated = await runFarebox(['rotate-master-key'], {
    ...toSettings(await makeNewFolder()),
    NEW_MASTER_KEY: randomBytes(32).toString('hex'),
  });
  expect(rotated.output).toContain('0 keys are now under the new master key, 0 are left');
  expect(rotated.code).toBe(0);
});

test('migrate names what it applied, and the second time nothing', async () => {
  const fresh = toSettings(await makeNewFolder());
  const first = await runFarebox(['migrate'], fresh);
  expect(first.output).toMatch(/Applied 0001_\w+\.sql, /);
  expect(first.code).toBe(0);
  expect((await runFarebox(['migrate'], fresh)).output).toContain('The database is up to date.');
});

function toSettings(path: string): Record<string, string> {
  return { DATA_DIR: path, PORT: '0' };
}
