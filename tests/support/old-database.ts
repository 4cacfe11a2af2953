import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, inject } from 'vitest';
import { ensureDatabase, migrate } from '#database/index.ts';
import { withDatabase } from './global-setup.ts';

const migrations = join(import.meta.dirname, '../../migrations');

/**
 * Call at the top of a test file: a database as it was after the migration of that number, owned by a user who is no
 * superuser, so that row-level security holds for the migrations that follow.
 */
export function useOldDatabase(lastNumber: string) {
  const name = `farebox_old_${process.pid}_${Date.now().toString(36)}`;
  const ownerUrl = new URL(withDatabase(inject('adminUrl'), name));
  ownerUrl.username = name;
  ownerUrl.password = name;
  const admin = new pg.Client({ connectionString: inject('adminUrl') });
  const owner = new pg.Client({ connectionString: ownerUrl.href });
  beforeAll(async () => {
    await admin.connect();
    await ensureDatabase(inject('adminUrl'), name);
    await admin.query(`CREATE ROLE ${name} LOGIN CREATEROLE PASSWORD '${name}'`);
    await admin.query(`GRANT farebox_app, farebox_system TO ${name} WITH ADMIN OPTION`);
    await admin.query(`ALTER DATABASE ${name} OWNER TO ${name}`);
    await migrateUntil(ownerUrl.href, lastNumber);
    await owner.connect();
    await owner.query('SET ROLE farebox_system');
  });
  afterAll(async () => {
    await owner.end();
    await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
    await admin.query(`DROP ROLE ${name}`);
    await admin.end();
  });
  return {
    /** Reads and writes as the server does for itself. */
    query: <Row extends pg.QueryResultRow>(text: string, values: unknown[] = []) => owner.query<Row>(text, values),
    /** Applies all that is missing. */
    migrate: () => migrate(ownerUrl.href, migrations),
  };
}

async function migrateUntil(url: string, lastNumber: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'farebox-old-'));
  for (const file of await readdir(migrations)) {
    if (file.slice(0, lastNumber.length) <= lastNumber) {
      await cp(join(migrations, file), join(folder, file));
    }
  }
  await migrate(url, folder);
  await rm(folder, { recursive: true });
}
