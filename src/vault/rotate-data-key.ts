import { parse } from 'uuid';
import type { Vault } from './open-vault.ts';
import type { SealContext } from './seal.ts';
import { sealedColumns, type SealedColumn } from './sealed-columns.ts';

const BATCH = 50;

interface ResealResult {
  resealed: number;
  /** Places whose value could not be opened; they are left as they are. */
  unreadable: SealContext[];
}

/**
 * Gives the owner a new data key and seals everything of theirs anew, batch by batch, while all goes on. Retired keys
 * are kept, so that backups and values sealed meanwhile stay readable. After a crash run it again.
 */
export async function rotateDataKey(
  vault: Vault,
  ownerId: string,
  columns: readonly SealedColumn[] = sealedColumns,
): Promise<ResealResult> {
  const keyId = await vault.database.transaction((tx) => vault.retireDataKey(tx, ownerId));
  const result: ResealResult = { resealed: 0, unreadable: [] };
  for (const column of columns) {
    for (let after: string | null = ''; after !== null;) {
      after = await resealBatch(vault, { column, ownerId, keyId, after }, result);
    }
  }
  return result;
}

interface Batch {
  column: SealedColumn;
  ownerId: string;
  keyId: string;
  after: string;
}

/** @returns the last row seen, or null at the end. */
async function resealBatch(vault: Vault, batch: Batch, result: ResealResult): Promise<string | null> {
  const { table, key, sealed, toContext } = batch.column;
  return vault.database.transaction(async (tx) => {
    const { rows } = await tx.query<Record<string, unknown>>(
      `SELECT * FROM ${table}
        WHERE owner_id = $1 AND ${key}::text > $2 AND substring(${sealed} FROM 2 FOR 16) <> $3
        ORDER BY ${key}::text LIMIT $4 FOR UPDATE`,
      [batch.ownerId, batch.after, Buffer.from(parse(batch.keyId)), BATCH],
    );
    for (const row of rows) {
      const context = toContext(row);
      const opened = await vault.open(tx, context, row[sealed] as Buffer).catch(() => null);
      if (opened === null) {
        result.unreadable.push(context);
        continue;
      }
      const fresh = await vault.seal(tx, context, opened);
      await tx.query(`UPDATE ${table} SET ${sealed} = $1 WHERE ${key} = $2`, [fresh, row[key]]);
      result.resealed += 1;
    }
    return rows.length < BATCH ? null : String(rows.at(-1)?.[key]);
  });
}
