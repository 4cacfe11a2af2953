import type { Tx } from '#database/index.ts';
import { newId, type AuditEntry } from '#kit/index.ts';

/** Writes one row of `audit_log`. Row-level security lets a user's transaction write that user's rows only. */
export async function recordAudit(tx: Pick<Tx, 'query'>, { caller, source, ...entry }: AuditEntry): Promise<void> {
  await tx.query(
    `INSERT INTO audit_log (id, owner_id, via, surface, operation, ids, outcome, request_id)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      newId(),
      caller.kind === 'user' ? caller.userId : null,
      caller.kind === 'user' ? caller.via : 'anonymous',
      source.surface,
      entry.operation,
      JSON.stringify(entry.ids),
      entry.outcome,
      source.requestId,
    ],
  );
}
