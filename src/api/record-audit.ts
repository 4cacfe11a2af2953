import { newId, type Caller } from '#kit/index.ts';

/** Who did what to what, and how it ended. Never inputs. */
export interface AuditEntry {
  caller: Caller;
  operation: string;
  ids: Readonly<Record<string, string>>;
  /** `ok` or the problem code. */
  outcome: string;
  requestId: string;
}

interface SqlExecutor {
  query(text: string, values: unknown[]): Promise<unknown>;
}

/** Writes one row of `audit_log`, as the system role. */
export async function recordAudit(executor: SqlExecutor, entry: AuditEntry): Promise<void> {
  const { caller } = entry;
  await executor.query(
    `INSERT INTO audit_log (id, owner_id, via, operation, ids, outcome, request_id) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [
      newId(),
      caller.kind === 'user' ? caller.userId : null,
      caller.kind === 'user' ? caller.via : 'anonymous',
      entry.operation,
      JSON.stringify(entry.ids),
      entry.outcome,
      entry.requestId,
    ],
  );
}
