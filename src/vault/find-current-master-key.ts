import type { Tx } from '#database/index.ts';

/** The id of the master key that the database is kept under; null before the first start. */
export async function findCurrentMasterKey(query: Pick<Tx, 'query'>): Promise<string | null> {
  const { rows } = await query.query<{ id: string }>('SELECT id FROM vault_master_keys WHERE is_current');
  return rows[0]?.id ?? null;
}
