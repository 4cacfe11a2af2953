import pg from 'pg';
import { afterAll, beforeAll, inject } from 'vitest';
import { openDatabase, type Database } from '#database/index.ts';
import { withDatabase } from './global-setup.ts';

let counter = 0;

/**
 * Call at the top of a test file: gives it a database of its own, cloned from the migrated template.
 * Dropped when the file is green; kept (and its name printed) when a test failed.
 */
export function useTestDatabase(): { readonly current: Database; readonly url: string } {
  const holder: { database?: Database; url: string } = { url: '' };
  const name = `farebox_test_${process.pid}_${Date.now().toString(36)}_${(counter += 1)}`;
  beforeAll(async () => {
    await administer(`CREATE DATABASE "${name}" TEMPLATE "${inject('templateName')}"`);
    holder.url = withDatabase(inject('adminUrl'), name);
    holder.database = openDatabase({ url: holder.url, systemConnections: 8, userConnections: 4 });
  });
  afterAll(async ({}, suite) => {
    await holder.database?.close();
    if (hasFailed(suite.tasks)) {
      console.error(`kept for inspection: database ${name}`);
    } else {
      await administer(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`);
    }
  });
  return {
    get current() {
      if (!holder.database) {
        throw new Error('The test database is ready only inside hooks and tests.');
      }
      return holder.database;
    },
    get url() {
      return holder.url;
    },
  };
}

interface Task {
  result?: { state?: string };
  tasks?: readonly Task[];
}

function hasFailed(tasks: readonly Task[]): boolean {
  return tasks.some((task) => task.result?.state === 'fail' || hasFailed(task.tasks ?? []));
}

async function administer(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: inject('adminUrl') });
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock(7)');
    await client.query(sql);
  } finally {
    await client.end();
  }
}
