import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, inject } from 'vitest';
import { migrate, openDatabase, type Database } from '#database/index.ts';
import { withDatabase } from './global-setup.ts';

const migrations = join(import.meta.dirname, '../../migrations');

interface OlderDatabase {
  readonly current: Database;
  readonly url: string;
  /** Applies the migrations that are missing and tells which. */
  update(): Promise<string[]>;
}

/**
 * A database as it was before the migration with this number, for tests of what the migration does to old rows. Its owner
 * is no superuser, so that row-level security holds for the migrations that follow.
 */
export function useOlderDatabase(number: string): OlderDatabase {
  return useDatabaseOf(number, async () =>
    (await readdir(migrations)).filter((found) => found < number).map((file) => join(migrations, file)),
  );
}

/** The same of any choice of migrations, which are applied under their own names. */
export function useDatabaseOf(label: string, listPaths: () => Promise<string[]>): OlderDatabase {
  const name = `farebox_older_${label}_${process.pid}_${Date.now().toString(36)}`;
  const url = () => {
    const owned = new URL(withDatabase(inject('adminUrl'), name));
    [owned.username, owned.password] = [name, name];
    return owned.href;
  };
  let database: Database | undefined;
  let folder: string | undefined;
  beforeAll(async () => {
    await administer(`CREATE ROLE ${name} LOGIN CREATEROLE PASSWORD '${name}'`);
    await administer(`GRANT farebox_app, farebox_system TO ${name} WITH ADMIN OPTION`);
    await administer(`CREATE DATABASE ${name} OWNER ${name}`);
    folder = await mkdtemp(join(tmpdir(), 'farebox-migrations-'));
    for (const path of await listPaths()) {
      await cp(path, join(folder, basename(path)));
    }
    await migrate(url(), folder);
    database = openDatabase({ url: url(), systemConnections: 2, userConnections: 2 });
  });
  afterAll(async () => {
    await database?.close();
    await rm(folder ?? '', { recursive: true, force: true });
    await administer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    await administer(`DROP ROLE IF EXISTS ${name}`);
  });
  return {
    get current() {
      if (!database) {
        throw new Error('The database is ready only inside hooks and tests.');
      }
      return database;
    },
    get url() {
      return url();
    },
    update: () => migrate(url(), migrations),
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
