import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { measureMedia } from '#media/index.ts';
import { readSnapshot } from '#models/index.ts';
import { startOpenRouterSimulator, type OpenRouterSimulator } from '#sandbox/index.ts';
import { masterKeyFromText } from '#vault/index.ts';
import { openS3Server } from './support/open-s3-server.ts';
import { runFarebox } from './support/server-child.ts';
import { useTestDatabase } from './support/test-database.ts';

const database = useTestDatabase();
let folder: string;
let openRouter: OpenRouterSimulator;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'farebox-doctor-'));
  openRouter = await startOpenRouterSimulator({
    port: 0,
    measure: measureMedia,
    catalogue: (await readSnapshot()).models,
  });
});
afterEach(async () => {
  await openRouter.stop();
  await rm(folder, { recursive: true, force: true });
});

function ask(changes: Record<string, string> = {}) {
  return runFarebox(['doctor'], {
    DATA_DIR: folder,
    PORT: '0',
    OPENROUTER_BASE_URL: openRouter.url,
    ...changes,
  });
}

async function keep(key: string): Promise<string> {
  const path = join(folder, 'master-key');
  await writeFile(path, `${key}\n`, { mode: 0o600 });
  return path;
}

async function keepDatabaseUnder(id: string): Promise<void> {
  await database.current.transaction(async (tx) => {
    await tx.query('UPDATE vault_master_keys SET is_current = false');
    await tx.query('INSERT INTO vault_master_keys (id, is_current, created_at) VALUES ($1, true, now())', [id]);
  });
}

test('the doctor: a key that OpenRouter refuses is named, with what to do, and is not shown', async () => {
  const refused = `sk-or-v1-${randomBytes(32).toString('hex')}`;
  const { code, output } = await ask({ OPENROUTER_API_KEY: refused, OPENROUTER_API_KEY_CREATORS: '*' });
  expect(output).toMatch(/BAD +OpenRouter +OPENROUTER_API_KEY: .*\n +-> Set a working key, or leave it out\./);
  expect(output).not.toContain(refused);
  expect(code).toBe(1);
});

test('the doctor: a new folder is good, and a working key is accepted', async () => {
  const { code, output } = await ask({
    OPENROUTER_API_KEY: openRouter.keys.healthy,
    OPENROUTER_API_KEY_CREATORS: '*',
  });
  expect(output).toMatch(/ok +master key +made and kept in the data folder at the first start/);
  expect(output).toMatch(/ok +OpenRouter .* accepts OPENROUTER_API_KEY/);
  expect(code).toBe(0);
});

test('the doctor: the kept master key is read: its id, who else can read it, and whether it is a key at all', async () => {
  const key = randomBytes(32).toString('hex');
  const path = await keep(key);
  const well = await ask();
  expect(well.output).toContain(`has the id ${masterKeyFromText(key).id}`);
  expect(well.output).not.toContain(key);
  expect(well.code).toBe(0);
  await chmod(path, 0o644);
  const open = await ask();
  expect(open.output).toMatch(/BAD +master key .*master-key can be read by other users\n +-> chmod 600 /);
  expect(open.code).toBe(1);
  await rm(path);
  await keep('no key');
  expect((await ask()).output).toMatch(/BAD +master key +The master key must be 32 bytes/);
});

test('the doctor: a master key that the database is not kept under is named', async () => {
  const [mine, other] = [randomBytes(32).toString('hex'), randomBytes(32).toString('hex')];
  const current = masterKeyFromText(mine).id;
  await keepDatabaseUnder(current);
  const settings = { DATABASE_URL: database.url };
  expect((await ask({ ...settings, MASTER_KEY: mine })).output).toMatch(new RegExp(`ok +master key .*${current}`));
  const wrong = await ask({ ...settings, MASTER_KEY: other });
  expect(wrong.output).toMatch(new RegExp(`BAD +master key .*but the database is kept under ${current}\\n +-> `));
  expect(wrong.code).toBe(1);
  expect((await ask({ ...settings, MASTER_KEY: other, NEW_MASTER_KEY: mine })).code).toBe(0);
});

test('the doctor: an object store is tried, and one that cannot be used is named without its secret', async () => {
  const server = await openS3Server();
  try {
    const good = await ask(server.environment);
    expect(good.output).toMatch(/ok +media +files lie in the bucket farebox-media at http:/);
    const wrong = { MEDIA_S3_BUCKET: 'no-such-bucket', MEDIA_S3_SECRET_ACCESS_KEY: 'canary-secret-of-the-store' };
    const bad = await ask({ ...server.environment, ...wrong });
    expect(bad.output).toMatch(
      /BAD +media +the bucket no-such-bucket at http:.* cannot be used: .*\n +-> Check MEDIA_S3_ENDPOINT/,
    );
    expect(bad.output).not.toContain('canary-secret');
    expect(bad.code).toBe(1);
  } finally {
    await server.close();
  }
});
