import { hkdfSync } from 'node:crypto';
import type { Database, Tx } from '#database/index.ts';
import type { Clock } from '#kit/index.ts';
import { ensureDataKey, PLATFORM, type Keyring, type Queryable } from './data-key.ts';
import { findCurrentMasterKey } from './find-current-master-key.ts';
import type { MasterKey } from './master-key.ts';
import { open, seal, type SealContext } from './seal.ts';
import { openSecretCache, type SecretCache } from './secret-cache.ts';

interface VaultOptions {
  database: Database;
  masterKey: MasterKey;
  /** Further keys that may open what is stored: the old and the new one while a rotation runs. */
  otherMasterKeys?: readonly MasterKey[];
  clock: Clock;
}

export interface Vault {
  database: Database;
  clock: Clock;
  /** Seal inside the transaction that stores the bytes. */
  seal(tx: Tx, context: SealContext, plaintext: string): Promise<Buffer>;
  /** Throws `internal` unless these bytes were sealed for exactly this place. */
  open(query: Queryable, context: SealContext, sealed: Uint8Array): Promise<string>;
  /** 32 bytes for signing, the same for a label in every process and after any rotation of the master key. */
  deriveKey(label: string): Buffer;
  cache: SecretCache;
}

/** Refuses to open a database whose secrets are kept under a master key that was not given. */
export async function openVault(options: VaultOptions): Promise<Vault> {
  const { database, clock } = options;
  const given = [options.masterKey, ...(options.otherMasterKeys ?? [])];
  const ring: Keyring = { masterKeys: new Map(given.map((key) => [key.id, key])), clock };
  const root = await database.transaction(async (tx) => {
    await assertCurrent(tx, ring, options.masterKey.id);
    return (await ensureDataKey(ring, tx, PLATFORM)).bytes;
  });
  return {
    database,
    clock,
    seal: (tx, context, plaintext) => seal(ring, tx, { context, plaintext }),
    open: (query, context, sealed) => open(ring, query, { context, sealed }),
    deriveKey: (label) => Buffer.from(hkdfSync('sha256', root, 'farebox.derive.v1', label, 32)),
    cache: openSecretCache(clock),
  };
}

/** The first process on a new database decides; from then on only `rotateMasterKey` does. */
async function assertCurrent(tx: Tx, ring: Keyring, firstId: string): Promise<void> {
  await tx.query(
    `INSERT INTO vault_master_keys (id, is_current, created_at) VALUES ($1, true, $2)
     ON CONFLICT DO NOTHING`,
    [firstId, new Date(ring.clock.now())],
  );
  const current = (await findCurrentMasterKey(tx)) ?? '';
  if (!ring.masterKeys.has(current)) {
    throw new Error(
      `The secrets in this database are kept under the master key ${current}, but MASTER_KEY is ${[...ring.masterKeys.keys()].join(', ')}. ` +
        'Set MASTER_KEY to the key that this database was started with; without it those secrets cannot be read.',
    );
  }
}
