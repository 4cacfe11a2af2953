import { randomBytes } from 'node:crypto';
import type { Tx } from '#database/index.ts';
import { newId, type Clock } from '#kit/index.ts';
import { encodeParts } from './cipher.ts';
import { findCurrentMasterKey } from './find-current-master-key.ts';
import type { MasterKey } from './master-key.ts';

/** Owner of what belongs to the server itself; no user id looks like this. */
export const PLATFORM = '*platform';

export type Queryable = Pick<Tx, 'query'>;

export interface Keyring {
  masterKeys: ReadonlyMap<string, MasterKey>;
  clock: Clock;
}

export interface DataKey {
  keyId: string;
  bytes: Buffer;
}

interface Row {
  key_id: string;
  owner_id: string;
  wrapped: Buffer;
  master_key_id: string;
}

const SELECT_KEY = 'SELECT key_id, owner_id, wrapped, master_key_id FROM vault_data_keys';

/** What a wrapped data key is bound to: it opens only as this key of this owner. */
export function boundTo(row: { key_id: string; owner_id: string }): Buffer {
  return encodeParts(['farebox.data-key.v1', row.owner_id, row.key_id]);
}

export async function findDataKey(
  ring: Keyring,
  query: Queryable,
  wanted: { ownerId: string; keyId: string },
): Promise<DataKey | null> {
  const { rows } = await query.query<Row>({
    name: 'find_vault_data_key',
    text: `${SELECT_KEY} WHERE key_id = $1 AND owner_id = $2`,
    values: [wanted.keyId, wanted.ownerId],
  });
  return rows[0] ? unwrapRow(ring, rows[0]) : null;
}

/** The owner's active data key, made when there is none. */
export async function ensureDataKey(ring: Keyring, tx: Tx, ownerId: string): Promise<DataKey> {
  const existing = await findActive(ring, tx, ownerId);
  if (existing) {
    return existing;
  }
  await insertDataKey(ring, tx, ownerId);
  const made = await findActive(ring, tx, ownerId);
  if (!made) {
    throw new Error('The data key could not be stored for this owner.');
  }
  return made;
}

async function findActive(ring: Keyring, tx: Tx, ownerId: string): Promise<DataKey | null> {
  const { rows } = await tx.query<Row>(`${SELECT_KEY} WHERE owner_id = $1 AND retired_at IS NULL`, [ownerId]);
  return rows[0] ? unwrapRow(ring, rows[0]) : null;
}

/** Another transaction may store one first; the unique index lets one win and both use it. */
async function insertDataKey(ring: Keyring, tx: Tx, ownerId: string): Promise<void> {
  // Shared with other makers; rotateMasterKey takes it alone, so that no key is wrapped by the key it is leaving.
  await tx.query(`SELECT pg_advisory_xact_lock_shared(hashtextextended('vault:master', 0))`);
  const master = getMasterKey(ring, (await findCurrentMasterKey(tx)) ?? '');
  const row = { key_id: newId(), owner_id: ownerId };
  const bytes = randomBytes(32);
  const wrapped = await master.wrap(bytes, boundTo(row));
  bytes.fill(0);
  await tx.query(
    `INSERT INTO vault_data_keys (key_id, owner_id, wrapped, master_key_id, created_at)
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (owner_id) WHERE retired_at IS NULL DO NOTHING`,
    [row.key_id, ownerId, wrapped, master.id, new Date(ring.clock.now())],
  );
}

async function unwrapRow(ring: Keyring, row: Row): Promise<DataKey> {
  const master = getMasterKey(ring, row.master_key_id);
  return { keyId: row.key_id, bytes: await master.unwrap(row.wrapped, boundTo(row)) };
}

function getMasterKey(ring: Keyring, id: string): MasterKey {
  const found = ring.masterKeys.get(id);
  if (!found) {
    const given = [...ring.masterKeys.keys()].join(', ');
    throw new Error(
      `Secrets in this database are kept under the master key ${id}, but this server was given ${given}.`,
    );
  }
  return found;
}
