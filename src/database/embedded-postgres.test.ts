import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findFreePort } from '../../tests/support/free-port.ts';
import { ensureDatabase, startEmbeddedPostgres } from './embedded-postgres.ts';

let folder = '';
beforeAll(async () => {
  // Private, as a clone below /root or a temporary folder is: as root, the postgres user cannot enter it.
  folder = await mkdtemp(join(tmpdir(), 'farebox-embedded-'));
  await chmod(folder, 0o700);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function count(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('CREATE TABLE IF NOT EXISTS kept (n int)');
  await client.query('INSERT INTO kept VALUES (1)');
  const { rows } = await client.query('SELECT count(*)::int AS n FROM kept');
  await client.end();
  return rows[0]?.n;
}

test('keeps its data over restarts, also when it was left behind by a killed process', async () => {
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

test('says which port it could not use', async () => {
  const place = join(folder, 'taken');
  const port = await findFreePort();
  const first = await startEmbeddedPostgres({ folder: place, port, durable: false });
  const other = startEmbeddedPostgres({ folder: join(folder, 'other'), port, durable: false });
  await expect(other).rejects.toThrow(new RegExp(`while starting on port ${port}`));
  await first.stop();
});
