import { setTimeout as wait } from 'node:timers/promises';
import { migrateSystemDatabase } from '@dbos-inc/dbos-sdk/internal/system_database';
import type { GlobalLogger } from '@dbos-inc/dbos-sdk/internal/telemetry/logs';
import pg from 'pg';

export const SCHEMA = 'durable';
const LOCK_KEY = 402_403;
const RETRY_MS = 100;

/**
 * Creates or updates the engine's tables as the owner and lets farebox_system use them.
 * One process at a time. The lock is polled: a session that blocks on it would hold a snapshot, and the engine's
 * CREATE INDEX CONCURRENTLY waits for all snapshots, so the two would wait for each other for ever.
 */
export async function prepareSchema(url: string, logger: GlobalLogger): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    while (!(await tryLock(client))) {
      await wait(RETRY_MS);
    }
    await migrateSystemDatabase(url, logger, SCHEMA, 'farebox_system');
  } finally {
    await client.end();
  }
}

async function tryLock(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>('SELECT pg_try_advisory_lock($1) AS locked', [LOCK_KEY]);
  return rows[0]?.locked === true;
}
