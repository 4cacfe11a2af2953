import type { Tx } from '#database/index.ts';
import { newId } from '#kit/index.ts';
import type { MediaDeps } from './media-deps.ts';
import type { LocalFile } from './media-store.ts';

const UNIQUE_VIOLATION = '23505';
/** Each further attempt needs somebody who stored or removed the same content in between. */
const ATTEMPTS = 8;

interface StoredObject {
  id: string;
  key: string;
  bytes: string;
}

/**
 * Stores a content once, however many refer to it. `refer` inserts the row that does, in the transaction in which the object
 * is certain to be there: the object is whole and locked, and its foreign key keeps it from then on.
 *
 * A key is the content's SHA-256 and the id of this object, and is never used again. So whoever removes an object that
 * nobody refers to any more cannot remove the same content that somebody else has just stored, however late the removal
 * arrives (docs/decisions/0032).
 */
export async function keepObject(
  deps: MediaDeps,
  file: LocalFile,
  refer: (tx: Tx, objectId: string) => Promise<void>,
): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const found = await findWhole(deps, file);
    const id = found ?? (await writeObject(deps, file));
    if (id !== null && (await referTo(deps, id, refer))) {
      return;
    }
  }
  throw new Error('The same content was stored and removed again and again meanwhile.');
}

/** What the database says is there, the store is asked for: a lost object is nothing to refer to. */
async function findWhole({ database, store }: MediaDeps, file: LocalFile): Promise<string | null> {
  const { rows } = await database.system.query<StoredObject>(
    `SELECT id, key, bytes FROM media_objects WHERE sha256 = $1 AND state = 'shared'`,
    [file.sha256],
  );
  const [object] = rows;
  if (!object || (await store.sizeOf(object.key)) === file.sizeBytes) {
    return object?.id ?? null;
  }
  await database.system.query(`UPDATE media_objects SET state = 'single' WHERE id = $1`, [object.id]);
  return null;
}

/** Null where somebody else has stored the same content meanwhile, or where writing took so long that it was given up. */
async function writeObject(deps: MediaDeps, file: LocalFile): Promise<string | null> {
  const { database, store, clock } = deps;
  const id = newId();
  const key = `${file.sha256}-${id}`;
  await database.system.query(
    `INSERT INTO media_objects (id, key, sha256, bytes, state, created_at) VALUES ($1, $2, $3, $4, 'writing', $5)`,
    [id, key, file.sha256, file.sizeBytes, new Date(clock.now())],
  );
  let isShared = false;
  try {
    await store.write(key, file);
    isShared = await share(deps, id);
  } finally {
    if (!isShared) {
      await database.system.query('DELETE FROM media_objects WHERE id = $1', [id]);
      await store.remove(key);
    }
  }
  return isShared ? id : null;
}

async function share({ database }: MediaDeps, id: string): Promise<boolean> {
  try {
    const shared = await database.system.query(
      `UPDATE media_objects SET state = 'shared' WHERE id = $1 AND state = 'writing'`,
      [id],
    );
    return shared.rowCount === 1;
  } catch (error) {
    if ((error as { code?: string }).code === UNIQUE_VIOLATION) {
      return false;
    }
    throw error;
  }
}

function referTo({ database }: MediaDeps, id: string, refer: (tx: Tx, objectId: string) => Promise<void>) {
  return database.transaction(async (tx) => {
    const locked = await tx.query(`SELECT 1 FROM media_objects WHERE id = $1 AND state = 'shared' FOR KEY SHARE`, [id]);
    if (locked.rowCount !== 1) {
      return false;
    }
    await refer(tx, id);
    return true;
  });
}
