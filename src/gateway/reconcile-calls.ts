import { noEvidence } from '#execution/index.ts';
import { recordCall } from '#usage/index.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { resolvePending } from './resolve-pending.ts';
import { transition, type State, type TransitionName } from './transitions.ts';

type ReconcileDeps = Pick<GatewayDeps, 'database' | 'payments' | 'log' | 'processId'>;

const BATCH = 100;
/** A process that has not beaten for this long is dead; its calls are taken over. */
const DEAD_AFTER_SECONDS = 15;

interface OpenCall {
  id: string;
  state: State;
}

const selectOverdue = `
  SELECT id, state FROM calls
  WHERE state IN ('claimed', 'running', 'settling', 'pending', 'settled')
    AND (deadline < now()
      OR (state IN ('claimed', 'running', 'settling')
          AND process_id NOT IN (SELECT id FROM gateway_processes WHERE beat_at > now() - $1 * interval '1 second')))
  ORDER BY deadline LIMIT $2`;

/** What becomes of a call that nobody carries on; `pending` is decided by the chain. */
const abandoned: Partial<Record<State, TransitionName>> = {
  claimed: 'refuse',
  running: 'fail',
  settling: 'doubt',
  settled: 'lose',
};

/**
 * Drives every call that stands in an open state beyond its deadline, or whose process died, to its end
 * (architecture, section 5). Safe to run in several processes at once: each step is one guarded UPDATE.
 * @returns how many calls it looked at.
 */
export async function reconcileCalls(deps: ReconcileDeps): Promise<number> {
  const { rows } = await deps.database.system.query<OpenCall>(selectOverdue, [DEAD_AFTER_SECONDS, BATCH]);
  for (const call of rows) {
    await reconcileOne(deps, call).catch((error: unknown) => {
      deps.log.error({ err: error, callId: call.id }, 'call could not be reconciled; it will be tried again');
    });
  }
  return rows.length;
}

async function reconcileOne(deps: ReconcileDeps, call: OpenCall): Promise<void> {
  const name = abandoned[call.state];
  if (name) {
    const moved = await transition(
      deps.database.system,
      { callId: call.id, name },
      { reason: 'abandoned', deadlineInMs: 0 },
    );
    deps.log.warn({ callId: call.id, state: call.state, moved }, 'call was abandoned');
    if (moved && name === 'fail') {
      await recordAbandoned(deps, call.id);
    }
  }
  if (call.state === 'settling' || call.state === 'pending') {
    await resolvePending(deps, call.id);
  }
}

interface AbandonedRow {
  owner_id: string;
  resource_id: string;
  version_id: string;
  request_id: string;
  payer: string;
  network: string;
  created_at: Date;
  version: number | null;
}

/** A run that died with its process is a failed call in the creator's log, like any other. */
async function recordAbandoned(deps: ReconcileDeps, callId: string): Promise<void> {
  const { rows } = await deps.database.system.query<AbandonedRow>(
    `SELECT c.owner_id, c.resource_id, c.version_id, c.request_id, c.payer, c.network, c.created_at, v.version
     FROM calls c LEFT JOIN x402_resource_versions v ON v.id = c.version_id WHERE c.id = $1`,
    [callId],
  );
  const row = rows[0];
  if (!row) {
    return;
  }
  const at = new Date();
  const { attempts: _attempts, ...evidence } = noEvidence;
  await recordCall(deps.database.system, {
    ...evidence,
    callId,
    requestId: row.request_id,
    resourceId: row.resource_id,
    versionId: row.version_id,
    version: row.version ?? 0,
    ownerId: row.owner_id,
    payer: row.payer,
    callerUserId: null,
    status: 'failed',
    problem: 'upstream_timeout',
    cause: 'abandoned: the process that carried the call out stopped, or the call took too long',
    latencyMs: at.getTime() - row.created_at.getTime(),
    amountAtomic: 0n,
    network: row.network,
    transaction: null,
    isTest: false,
    isFree: false,
    at,
  });
}

/** Says that this process is alive. */
export async function beat(deps: ReconcileDeps): Promise<void> {
  await deps.database.system.query(
    `INSERT INTO gateway_processes (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET beat_at = now()`,
    [deps.processId],
  );
}

/** Forgets this process (graceful stop) and those that died long ago. */
export async function forgetProcess(deps: ReconcileDeps): Promise<void> {
  await deps.database.system.query(
    `DELETE FROM gateway_processes WHERE id = $1 OR beat_at < now() - interval '1 day'`,
    [deps.processId],
  );
}

/** Answers are kept for their retention only; the receipt stays. @returns how many were dropped. */
export async function expireAnswers(deps: Pick<GatewayDeps, 'database'>, retentionSeconds: number): Promise<number> {
  const result = await deps.database.system.query(
    `UPDATE calls SET answer = NULL
     WHERE answer IS NOT NULL AND state IN ('delivered', 'owed') AND settled_at < now() - $1 * interval '1 second'`,
    [retentionSeconds],
  );
  return result.rowCount ?? 0;
}
