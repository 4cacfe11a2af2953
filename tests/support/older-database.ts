import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, inject } from 'vitest';
import { migrate, openDatabase, type Database } from '#database/index.ts';
import { withDatabase } from './global-setup.ts';

const migrations = join(import.meta.dirname, '../../migrations');

interface OlderDatabase {
  readonly current: Database;
  /** Applies the migrations that are missing. */
  update(): Promise<void>;
}

/** A database as it was before the migration with this number, for tests of what the migration does to old rows. */
export function useOlderDatabase(number: string): OlderDatabase {
  const name = `farebox_older_${number}_${process.pid}_${Date.now().toString(36)}`;
  const url = () => withDatabase(inject('adminUrl'), name);
  let database: Database | undefined;
  let folder: string | undefined;
  beforeAll(async () => {
    await administer(`CREATE DATABASE "${name}"`);
    folder = await mkdtemp(join(tmpdir(), 'farebox-migrations-'));
    for (const file of (await readdir(migrations)).filter((found) => found < number)) {
      await cp(join(migrations, file), join(folder, file));
    }
    await migrate(url(), folder);
    database = openDatabase({ url: url(), systemConnections: 2, userConnections: 2 });
  });
  afterAll(async () => {
    await database?.close();
    await rm(folder ?? '', { recursive: true, force: true });
    await administer(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`);
  });
  return {
    get current() {
      if (!database) {
        throw new Error('The database is ready only inside hooks and tests.');
      }
      return database;
    },
    update: async () => {
      await migrate(url(), migrations);
    },
  };
}

async function administer(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: inject('adminUrl') });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
