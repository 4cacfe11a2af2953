import type { Tx } from '#database/index.ts';
import { Problem } from '#kit/index.ts';

export interface VersionState {
  id: string;
  version: number;
  label: string | null;
  superseded_at: Date | null;
  withdrawn_at: Date | null;
}

/** Of the caller's own resource; row-level security finds no others. */
export async function getOwnVersion<Row extends object>(
  tx: Tx,
  named: { id: string; version: number },
  columns: string,
): Promise<Row> {
  const { rows } = await tx.query<Row>(
    `SELECT ${columns} FROM x402_resource_versions WHERE resource_id = $1 AND version = $2`,
    [named.id, named.version],
  );
  return rows[0] ?? noSuchVersion(named.version);
}

export function noSuchVersion(version: number): never {
  throw new Problem('not_found', { detail: `This resource has no version ${version}.` });
}
