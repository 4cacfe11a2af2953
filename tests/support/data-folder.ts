import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll } from 'vitest';
import { findRunningPostgres } from '#database/index.ts';

const run = promisify(execFile);

export interface DataFolder {
  readonly path: string;
  /** Processes that work in the folder: PostgreSQL, anvil and its watchdog. */
  listProcesses(): Promise<{ pid: number; command: string }[]>;
  /** Uses the embedded database of a server that runs on the folder, or that a killed one left behind. */
  withDatabase<T>(use: (database: { system: pg.Pool }) => Promise<T>): Promise<T>;
}

/** Call at the top of a test file: a data folder on which servers start one after the other. */
export function useDataFolder(): DataFolder {
  let path = '';
  const listProcesses: DataFolder['listProcesses'] = async () => {
    const { stdout } = await run('ps', ['-eo', 'pid=,args=']);
    const lines = stdout.split('\n').filter((line) => line.includes(`${path}/`));
    return lines.map((line) => ({ pid: Number.parseInt(line, 10), command: line.trim() }));
  };
  beforeAll(async () => {
    path = await mkdtemp(join(tmpdir(), 'farebox-data-'));
    // Open, so that as root the cluster stays inside and goes with the folder.
    await chmod(path, 0o755);
  });
  afterAll(async () => {
    for (const { pid } of await listProcesses()) {
      process.kill(pid, 'SIGKILL');
    }
    await rm(path, { recursive: true, force: true });
  });
  return {
    get path() {
      return path;
    },
    listProcesses,
    withDatabase: async (use) => {
      const connectionString = (await findRunningPostgres(join(path, 'postgres'), 'farebox')) ?? '';
      const system = new pg.Pool({ connectionString, max: 2 });
      try {
        return await use({ system });
      } finally {
        await system.end();
      }
    },
  };
}
