import type { Database } from '#database/index.ts';

/** The id of the master key that the database is kept under; null before a server was started on it. */
export async function findCurrentMasterKey({ system }: Pick<Database, 'system'>): Promise<string | null> {
  const { rows } = await system.query<{ id: string }>('SELECT id FROM vault_master_keys WHERE is_current');
  return rows[0]?.id ?? null;
}
