import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { sha256Hex } from '#kit/index.ts';

const LOCK_KEY = 402_402;
const DENIED = '42501';
const FILE_PATTERN = /^\d{4}_[a-z0-9_]+\.sql$/;

/**
 * By file, the digest of another form that it had for a time after it had landed, and that databases made then have applied.
 * 0029_looks_and_shares.sql brings those to where all others are.
 */
const otherForms: Readonly<Record<string, string>> = {
  '0024_bounded_trust.sql': '872a0279b402a2ac415187b816e32c8ffb42f8cf4a730cde73b95579634db823',
  '0026_readiness_and_keys.sql': '2493e2e660c2b2a4bdba0f44f2368a18dc3170eb91f6dd6f7bdb86bb0aed85c5',
};

/**
 * Applies the numbered SQL files that are not applied yet, each in its own transaction, forward only.
 * Several processes may call it at once. Refuses when a file that was applied has changed since.
 * @returns the names of the files applied now.
 */
export async function migrate(url: string, folder: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [LOCK_KEY]);
    await client.query(
      `CREATE TABLE IF NOT EXISTS schema_migrations (
         name text PRIMARY KEY, digest text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`,
    );
    return await applyMissing(client, folder);
  } finally {
    await client.end();
  }
}

async function applyMissing(client: pg.Client, folder: string): Promise<string[]> {
  const { rows } = await client.query<{ name: string; digest: string }>('SELECT name, digest FROM schema_migrations');
  const digests = new Map(rows.map((row) => [row.name, row.digest]));
  const applied: string[] = [];
  for (const name of (await readdir(folder)).filter((file) => FILE_PATTERN.test(file)).sort()) {
    const sql = await readFile(join(folder, name), 'utf8');
    const digest = sha256Hex(sql);
    const known = digests.get(name);
    if (known === digest || (known !== undefined && known === otherForms[name])) {
      continue;
    }
    if (known !== undefined) {
      throw new Error(`Migration ${name} was changed after it was applied. Restore it and add a new file instead.`);
    }
    await applyOne(client, { name, sql, digest });
    applied.push(name);
  }
  return applied;
}

async function applyOne(client: pg.Client, file: { name: string; sql: string; digest: string }): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query(file.sql);
    await client.query('INSERT INTO schema_migrations (name, digest) VALUES ($1, $2)', [file.name, file.digest]);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    const { message, code } = error as pg.DatabaseError;
    const hint = code === DENIED ? '. npm run doctor says what the user of DATABASE_URL lacks' : '';
    throw new Error(`Migration ${file.name} failed: ${message}${hint}`, { cause: error });
  }
}
