import type { SealContext } from './seal.ts';

/** A column that holds sealed values of a table with `owner_id`. The names go into SQL as they are. */
export interface SealedColumn {
  table: string;
  /** Unique column. */
  key: string;
  sealed: string;
  toContext(row: Record<string, unknown>): SealContext;
}

const INTEGRATIONS = 'user_openrouter_integrations';

/** One key per owner, so the owner names the row. */
export function toKeyContext(ownerId: string): SealContext {
  return { table: INTEGRATIONS, row: ownerId, ownerId, field: 'api_key' };
}

/** What this module seals. */
export const sealedColumns: readonly SealedColumn[] = [
  {
    table: INTEGRATIONS,
    key: 'owner_id',
    sealed: 'sealed_key',
    toContext: (row) => toKeyContext(String(row['owner_id'])),
  },
  {
    table: 'vault_secrets',
    key: 'id',
    sealed: 'sealed',
    toContext: (row) => ({
      table: String(row['table_name']),
      row: String(row['row_id']),
      ownerId: String(row['owner_id']),
      field: String(row['field']),
    }),
  },
];
