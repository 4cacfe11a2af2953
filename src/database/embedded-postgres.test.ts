import { chmod, lstat, mkdir, mkdtemp, readdir, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findFreePort } from '../../tests/support/free-port.ts';
import { ensureDatabase, startEmbeddedPostgres } from './embedded-postgres.ts';

let folder = '';
const isRoot = process.getuid?.() === 0;

beforeAll(async () => {
  // Private, as a clone below /root or a temporary folder is: as root, the postgres user cannot enter it.
  folder = await mkdtemp(join(tmpdir(), 'farebox-embedded-'));
  await chmod(folder, 0o700);
});

afterAll(async () => {
  for (const name of await readdir(folder)) {
    const elsewhere = await readlink(join(folder, name)).catch(() => null);
    await rm(elsewhere ?? join(folder, name), { recursive: true, force: true });
  }
  await rm(folder, { recursive: true, force: true });
});

async function count(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('CREATE TABLE IF NOT EXISTS kept (n int)');
  await client.query('INSERT INTO kept VALUES (1)');
  const { rows } = await client.query('SELECT count(*)::int AS n FROM kept');
  await client.end();
  return rows[0]?.n;
}

test('the embedded PostgreSQL keeps its data over restarts, also when it was left behind by a killed process', async () => {
  const place = join(folder, 'postgres');
  const first = await startEmbeddedPostgres({ folder: place, port: await findFreePort(), durable: false });
  await ensureDatabase(first.url('postgres'), 'kept');
  await ensureDatabase(first.url('postgres'), 'kept');
  expect(await count(first.url('kept'))).toBe(1);
  await first.stop();

  const second = await startEmbeddedPostgres({ folder: place, port: await findFreePort(), durable: false });
  expect(await count(second.url('kept'))).toBe(2);

  // Nobody stops the second one: the third start finds it and takes its place.
  const third = await startEmbeddedPostgres({ folder: place, port: await findFreePort(), durable: false });
  expect(await count(third.url('kept'))).toBe(3);
  await expect(count(second.url('kept'))).rejects.toThrow(/ECONNREFUSED|terminat/);
  await third.stop();
});

test('the embedded PostgreSQL says which port it could not use', async () => {
  const place = join(folder, 'taken');
  const port = await findFreePort();
  const first = await startEmbeddedPostgres({ folder: place, port, durable: false });
  const other = startEmbeddedPostgres({ folder: join(folder, 'other'), port, durable: false });
  await expect(other).rejects.toThrow(new RegExp(`while starting on port ${port}`));
  await first.stop();
});

test('half a cluster of a process that was killed is no obstacle to the next start', async () => {
  const place = join(folder, 'half-made');
  const first = await startEmbeddedPostgres({ folder: place, port: await findFreePort(), durable: false });
  await first.stop();
  const real = (await readlink(place).catch(() => null)) ?? place;
  await rm(real, { recursive: true });
  await mkdir(`${real}.new`);
  await writeFile(join(`${real}.new`, 'PG_VERSION'), '18');
  const second = await startEmbeddedPostgres({ folder: place, port: await findFreePort(), durable: false });
  await ensureDatabase(second.url('postgres'), 'kept');
  expect(await count(second.url('kept'))).toBe(1);
  await second.stop();
});

test('the embedded PostgreSQL never touches a folder that holds something else', async () => {
  const place = join(folder, 'photos');
  await mkdir(place);
  await writeFile(join(place, 'beach.jpg'), 'x');
  await expect(startEmbeddedPostgres({ folder: place, port: await findFreePort() })).rejects.toThrow(
    /is not empty and holds no complete database/,
  );
  expect((await lstat(join(place, 'beach.jpg'))).isFile()).toBe(true);
});

test.runIf(isRoot)('a cluster that its user can no longer reach is kept, and the way out is told', async () => {
  const open = await mkdtemp(join(tmpdir(), 'farebox-open-'));
  await chmod(open, 0o755);
  const place = join(open, 'postgres');
  const first = await startEmbeddedPostgres({ folder: place, port: await findFreePort(), durable: false });
  await ensureDatabase(first.url('postgres'), 'kept');
  await count(first.url('kept'));
  await first.stop();
  await chmod(open, 0o700);
  await expect(startEmbeddedPostgres({ folder: place, port: await findFreePort() })).rejects.toThrow(/chmod o\+x/);
  await chmod(open, 0o755);
  const again = await startEmbeddedPostgres({ folder: place, port: await findFreePort(), durable: false });
  expect(await count(again.url('kept'))).toBe(2);
  await again.stop();
  await rm(open, { recursive: true });
});

test.runIf(isRoot)(
  'as root, the cluster belongs to an ordinary user, and to begin anew it is enough to remove the folder',
  async () => {
    const place = join(folder, 'anew');
    const first = await startEmbeddedPostgres({ folder: place, port: await findFreePort(), durable: false });
    const real = await readlink(place);
    expect((await stat(real)).uid).not.toBe(0);
    await ensureDatabase(first.url('postgres'), 'kept');
    await count(first.url('kept'));
    await first.stop();
    await rm(place);
    const second = await startEmbeddedPostgres({ folder: place, port: await findFreePort(), durable: false });
    expect(await readlink(place)).not.toBe(real);
    await ensureDatabase(second.url('postgres'), 'kept');
    expect(await count(second.url('kept'))).toBe(1);
    await second.stop();
    await rm(real, { recursive: true });
  },
);
