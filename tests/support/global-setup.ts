import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { ensureDatabase, startEmbeddedPostgres } from '#database/embedded-postgres.ts';
import { migrate } from '#database/index.ts';
import { findFreePort } from './free-port.ts';

declare module 'vitest' {
  interface ProvidedContext {
    adminUrl: string;
    templateName: string;
  }
}

const migrations = join(import.meta.dirname, '../../migrations');

/** One PostgreSQL for the run (embedded, or the server of DATABASE_URL) and one migrated template database in it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const templateName = `farebox_template_${process.pid}_${Date.now().toString(36)}_${project.name}`;
  const external = process.env['DATABASE_URL'];
  const server = external ? { adminUrl: external, stop: async () => {} } : await startServer();
  await ensureDatabase(server.adminUrl, templateName);
  await migrate(withDatabase(server.adminUrl, templateName), migrations);
  project.provide('adminUrl', server.adminUrl);
  project.provide('templateName', templateName);
  return async () => {
    await dropDatabase(server.adminUrl, templateName);
    await server.stop();
  };
}

async function startServer(): Promise<{ adminUrl: string; stop: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'farebox-test-'));
  // As root, PostgreSQL runs as another user, who has to get in.
  await chmod(folder, 0o755);
  const postgres = await startEmbeddedPostgres({
    folder: join(folder, 'postgres'),
    port: await findFreePort(),
    durable: false,
  });
  return {
    adminUrl: postgres.url('postgres'),
    stop: async () => {
      await postgres.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function dropDatabase(adminUrl: string, name: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  await client.query(`DROP DATABASE IF EXISTS ${client.escapeIdentifier(name)} WITH (FORCE)`);
  await client.end();
}

export function withDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}
