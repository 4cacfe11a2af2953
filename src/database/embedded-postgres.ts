import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { sha256Hex } from '#kit/index.ts';
import { findPlace, notEmpty, type Place } from './postgres-place.ts';

const run = promisify(execFile);
const USER = 'farebox';
/** Recovery after a crash may take its time. */
const READY_WITHIN_MS = 300_000;
const STOP_WITHIN_MS = 20_000;
const PASSWORD_FILE = 'farebox-password';

interface EmbeddedOptions {
  /** Holds the cluster; created when missing. */
  folder: string;
  port: number;
  /** `false` only for tests: a crash of the machine may lose data. */
  durable?: boolean;
  onLog?: (line: string) => void;
}

export interface EmbeddedPostgres {
  url(database: string): string;
  pid: number;
  stop(): Promise<void>;
}

/**
 * Starts the PostgreSQL that ships inside npm packages on 127.0.0.1, creating the cluster on the first start.
 * A server that a killed process left behind in the same folder is stopped first.
 */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const place = await findPlace(options.folder);
  await stopLeftover(place.folder);
  const password = await initialise(place);
  const child = spawn(join(place.native, 'bin', 'postgres'), serverArguments(place.folder, options), {
    ...place.identity,
    cwd: place.folder,
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
    env: childEnvironment(),
  });
  try {
    await untilReady(child, options);
  } catch (error) {
    await stopChild(child);
    throw error;
  }
  return {
    url: (database) => `postgres://${USER}:${password}@127.0.0.1:${options.port}/${database}`,
    pid: child.pid ?? 0,
    stop: () => stopChild(child),
  };
}

/** The address of the embedded PostgreSQL that another process runs in `folder`; null when none answers there. */
export async function findRunningPostgres(folder: string, database: string): Promise<string | null> {
  try {
    const [, , , port = ''] = (await readFile(join(folder, 'postmaster.pid'), 'utf8')).split('\n');
    const password = (await readFile(join(folder, PASSWORD_FILE), 'utf8')).trim();
    const url = `postgres://${USER}:${password}@127.0.0.1:${Number(port)}/${database}`;
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
    await client.connect();
    await client.end();
    return url;
  } catch {
    return null;
  }
}

/** Creates the database when it is missing. */
export async function ensureDatabase(adminUrl: string, name: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
    if (found.rowCount === 0) {
      await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`);
    }
  } finally {
    await client.end();
  }
}

function serverArguments(folder: string, options: EmbeddedOptions): string[] {
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '200',
    timezone: 'UTC',
    ...(options.durable === false ? { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' } : {}),
  };
  const flags = Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
  return ['-D', folder, '-p', String(options.port), ...flags];
}

function childEnvironment(): Record<string, string> {
  return { LC_ALL: 'C', PATH: '/usr/local/bin:/usr/bin:/bin' };
}

/** Made beside its place and moved there whole, so that a process killed meanwhile leaves no half of a cluster. */
async function initialise({ folder, native, identity }: Place): Promise<string> {
  const kept = await readFile(join(folder, PASSWORD_FILE), 'utf8').catch(() => null);
  if (kept !== null) {
    return kept.trim();
  }
  const unfinished = `${folder}.new`;
  const secret = `${folder}.password`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { mode: 0o700 });
  const password = sha256Hex(crypto.getRandomValues(new Uint8Array(32))).slice(0, 40);
  await writeFile(secret, password, { mode: 0o600 });
  if (identity) {
    await chown(unfinished, identity.uid, identity.gid);
    await chown(secret, identity.uid, identity.gid);
  }
  const flags = ['-D', unfinished, '-U', USER, '-A', 'scram-sha-256', `--pwfile=${secret}`, '-E', 'UTF8'];
  await run(join(native, 'bin', 'initdb'), [...flags, '--locale=C', '--no-sync'], {
    ...identity,
    cwd: unfinished,
    env: childEnvironment(),
  });
  await rm(secret);
  await writeFile(join(unfinished, PASSWORD_FILE), password, { mode: 0o600 });
  // Replaces an empty folder only: a cluster without its password file is not ours to remove.
  await rename(unfinished, folder).catch((error: unknown) => {
    throw notEmpty(folder, error);
  });
  return password;
}

async function untilReady(child: ChildProcess, options: EmbeddedOptions): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let output = '';
  const timer = setTimeout(
    () => reject(new Error(`PostgreSQL was not ready within ${READY_WITHIN_MS / 1000} s.\n${output}`)),
    READY_WITHIN_MS,
  );
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-4000);
    options.onLog?.(text.trimEnd());
    if (output.includes('ready to accept connections')) {
      resolve();
    }
  });
  child.once('error', reject);
  child.once('exit', (code) =>
    reject(new Error(`PostgreSQL stopped with code ${code} while starting on port ${options.port}.\n${output}`)),
  );
  await promise.finally(() => clearTimeout(timer));
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) {
    return;
  }
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGINT');
  const timer = setTimeout(() => child.kill('SIGQUIT'), STOP_WITHIN_MS);
  await gone.finally(() => clearTimeout(timer));
}

/** The port of the PostgreSQL that a killed process left behind in `folder`, in whatever state it is; null where there is none. */
export async function findLeftoverPort(folder: string): Promise<number | null> {
  return (await findLeftover(folder))?.port ?? null;
}

/** By the file that PostgreSQL keeps of itself: its process id is the first line, its port the fourth. */
async function findLeftover(folder: string): Promise<{ pid: number; port: number } | null> {
  const text = await readFile(join(folder, 'postmaster.pid'), 'utf8').catch(() => '');
  const [pid = 0, , , port = 0] = text.split('\n').map(Number);
  return pid > 1 && (await isPostgres(pid)) ? { pid, port } : null;
}

async function stopLeftover(folder: string): Promise<void> {
  const { pid } = (await findLeftover(folder)) ?? { pid: null };
  if (pid === null) {
    return;
  }
  process.kill(pid, 'SIGINT');
  for (let waited = 0; waited < STOP_WITHIN_MS && (await isPostgres(pid)); waited += 50) {
    await wait(50);
  }
}

/** /proc where there is one: small images have no `ps`. */
async function isPostgres(pid: number): Promise<boolean> {
  const name =
    process.platform === 'linux'
      ? await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')
      : (await run('ps', ['-o', 'comm=', '-p', String(pid)]).catch(() => ({ stdout: '' }))).stdout;
  return name.includes('postgres');
}
