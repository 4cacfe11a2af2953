import type { Database } from '#database/index.ts';
import type { Clock } from '#kit/index.ts';
import { boundTo } from './data-key.ts';
import { findCurrentMasterKey } from './find-current-master-key.ts';
import type { MasterKey } from './master-key.ts';

const BATCH = 100;

interface RotateDeps {
  database: Database;
  clock: Clock;
}

interface RotateResult {
  rewrapped: number;
  /** Data keys that are still under a third master key. */
  remaining: number;
}

/**
 * Puts every data key under `to` while all goes on; sealed values stay as they are. Give every process both keys first.
 * After a crash run it again: what was done stays done.
 */
export async function rotateMasterKey(
  deps: RotateDeps,
  keys: { from: MasterKey; to: MasterKey },
): Promise<RotateResult> {
  if (keys.from.id === keys.to.id) {
    throw new Error('The old and the new master key are the same.');
  }
  await switchCurrent(deps, keys);
  let rewrapped = 0;
  for (let done = BATCH; done > 0; rewrapped += done) {
    done = await rewrapBatch(deps.database, keys);
  }
  const { rows } = await deps.database.system.query<{ remaining: number }>(
    'SELECT count(*)::int AS remaining FROM vault_data_keys WHERE master_key_id <> $1',
    [keys.to.id],
  );
  return { rewrapped, remaining: rows[0]?.remaining ?? 0 };
}

/** The lock waits for transactions that are making a data key under the old one. */
async function switchCurrent(deps: RotateDeps, { from, to }: { from: MasterKey; to: MasterKey }): Promise<void> {
  await deps.database.transaction(async (tx) => {
    await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('vault:master', 0))`);
    const current = await findCurrentMasterKey(tx);
    if (current !== null && current !== from.id && current !== to.id) {
      throw new Error(`The current master key is ${current}; neither ${from.id} nor ${to.id} is it.`);
    }
    await tx.query('UPDATE vault_master_keys SET is_current = false WHERE is_current AND id <> $1', [to.id]);
    await tx.query(
      `INSERT INTO vault_master_keys (id, is_current, created_at) VALUES ($1, true, $2)
       ON CONFLICT (id) DO UPDATE SET is_current = true`,
      [to.id, new Date(deps.clock.now())],
    );
  });
}

/** Wrapping happens outside a transaction (a key service may be far away); the UPDATE is guarded by the old key's id. */
async function rewrapBatch(database: Database, { from, to }: { from: MasterKey; to: MasterKey }): Promise<number> {
  const { rows } = await database.system.query<{ key_id: string; owner_id: string; wrapped: Buffer }>(
    'SELECT key_id, owner_id, wrapped FROM vault_data_keys WHERE master_key_id = $1 ORDER BY key_id LIMIT $2',
    [from.id, BATCH],
  );
  const wrapped: Buffer[] = [];
  for (const row of rows) {
    wrapped.push(await rewrap(row, { from, to }));
  }
  await database.system.query(
    `UPDATE vault_data_keys k SET wrapped = n.wrapped, master_key_id = $3
       FROM unnest($1::uuid[], $2::bytea[]) AS n (key_id, wrapped)
      WHERE k.key_id = n.key_id AND k.master_key_id = $4`,
    [rows.map((row) => row.key_id), wrapped, to.id, from.id],
  );
  return rows.length;
}

async function rewrap(
  row: { key_id: string; owner_id: string; wrapped: Buffer },
  { from, to }: { from: MasterKey; to: MasterKey },
): Promise<Buffer> {
  const bound = boundTo(row);
  const bytes = await from.unwrap(row.wrapped, bound);
  const wrapped = await to.wrap(bytes, bound);
  const again = await to.unwrap(wrapped, bound);
  if (!again.equals(bytes)) {
    throw new Error(`The master key ${to.id} does not give back what it wrapped; nothing was changed for this batch.`);
  }
  bytes.fill(0);
  again.fill(0);
  return wrapped;
}
