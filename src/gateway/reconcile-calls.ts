import type { Tx } from '#database/index.ts';
import { recordCall, releaseSpend, type CallRecord } from '#usage/index.ts';
import { toCallRecord } from './call-record.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { resolvePending } from './resolve-pending.ts';
import { transition, type State, type TransitionName } from './transitions.ts';

type ReconcileDeps = Pick<GatewayDeps, 'database' | 'published' | 'clock' | 'log'>;
type ProcessDeps = Pick<GatewayDeps, 'database' | 'processId'>;

const BATCH = 100;
const AT_ONCE = 8;
/** A process that has not beaten for this long is dead; its calls are taken over. */
export const DEAD_AFTER_SECONDS = 15;

/** Of a call behind a 202: a run that brings its process down is not begun for ever. */
const MAX_TAKEOVERS = 3;

/** Condition on a call: should its process die, another one goes on with it, and it is not given up. */
export const isToBeResumed = `(runs_long AND state IN ('running', 'fulfilling') AND input IS NOT NULL AND deadline > now()
  AND EXISTS (SELECT FROM long_calls WHERE call_id = calls.id AND takeovers < ${MAX_TAKEOVERS}))`;

interface OpenCall {
  id: string;
  state: State;
}

const selectAbandoned = `
  SELECT id, state FROM calls
  WHERE state IN ('claimed', 'running', 'settling', 'fulfilling', 'settled')
    AND NOT ${isToBeResumed}
    AND (deadline < now()
      OR (state IN ('claimed', 'running', 'settling', 'fulfilling')
          AND process_id NOT IN (SELECT id FROM gateway_processes WHERE beat_at > now() - $1 * interval '1 second')))
  ORDER BY deadline LIMIT $2`;

const selectPending = `SELECT id FROM calls WHERE state = 'pending' AND deadline < now() ORDER BY deadline LIMIT $1`;

/** What becomes of a call that nobody carries on; `pending` is decided by the chain. */
const abandoned: Partial<Record<State, TransitionName>> = {
  claimed: 'refuse',
  running: 'fail',
  settling: 'doubt',
  fulfilling: 'owe',
  settled: 'lose',
};

/**
 * Moves on every call that stands in an open state beyond its deadline, or whose process died.
 * Safe to run in several processes at once: each step is one guarded UPDATE. It asks nobody but the database, so that no
 * slow chain holds it up.
 * @returns how many calls it looked at.
 */
export async function reconcileCalls(deps: ReconcileDeps): Promise<number> {
  const { rows } = await deps.database.system.query<OpenCall>(selectAbandoned, [DEAD_AFTER_SECONDS, BATCH]);
  await driveAll(deps, rows, (call) => moveAbandoned(deps, call));
  return rows.length;
}

/**
 * Asks the chain about the pending calls whose turn has come.
 * @returns how many calls it looked at.
 */
export async function resolveAllPending(
  deps: Pick<GatewayDeps, 'database' | 'payments' | 'clock' | 'log'>,
): Promise<number> {
  const { rows } = await deps.database.system.query<{ id: string }>(selectPending, [BATCH]);
  await driveAll(deps, rows, ({ id }) => resolvePending(deps, id));
  return rows.length;
}

/** A few at a time; one that fails holds up nobody. */
async function driveAll<Call extends { id: string }>(
  deps: Pick<GatewayDeps, 'log'>,
  calls: readonly Call[],
  drive: (call: Call) => Promise<void>,
): Promise<void> {
  const left = [...calls];
  const work = async (): Promise<void> => {
    for (let call = left.shift(); call; call = left.shift()) {
      const { id } = call;
      await drive(call).catch((error: unknown) => {
        deps.log.error({ err: error, callId: id }, 'call could not be reconciled; it will be tried again');
      });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

async function moveAbandoned(deps: ReconcileDeps, call: OpenCall): Promise<void> {
  const name = abandoned[call.state];
  if (name) {
    const changes = { reason: 'abandoned', deadlineInMs: 0 };
    const moved = await deps.database.transaction(async (tx) => {
      const isOurs = await transition(tx, { callId: call.id, name }, changes);
      if (isOurs && name === 'refuse') {
        // Nothing ran, and the log holds no row of it.
        await releaseSpend(tx, [call.id]);
      }
      if (isOurs && (name === 'fail' || name === 'owe')) {
        await recordAbandoned(deps, tx, { callId: call.id, ...(name === 'fail' ? lostRun : owedRun) });
      }
      return isOurs;
    });
    deps.log.warn({ callId: call.id, state: call.state, moved }, 'call was abandoned');
  }
}

const cause = 'abandoned: the process that carried the call out stopped, or the call took too long';
const lostRun = { status: 'failed', problem: 'upstream_timeout', cause } as const;
const owedRun = { status: 'owed', problem: 'answer_owed', cause } as const;

interface AbandonedRow {
  owner_id: string;
  resource_id: string;
  version_id: string;
  request_id: string;
  payer: string;
  network: string;
  created_at: Date;
  charged: string;
  transaction: string | null;
}

const selectAbandonedCall = `
  SELECT owner_id, resource_id, version_id, request_id, payer, network, created_at, offer->>'amountAtomic' AS charged, transaction
  FROM calls WHERE id = $1`;

/** A run that nobody carries on is in the creator's log like any other that failed, or is owed. */
export async function recordAbandoned(
  deps: Pick<ReconcileDeps, 'published' | 'clock'>,
  tx: Tx,
  {
    callId,
    version,
    ...ending
  }: { callId: string; version?: number; status: CallRecord['status']; problem: string; cause: string },
): Promise<void> {
  const { rows } = await tx.query<AbandonedRow>(selectAbandonedCall, [callId]);
  const row = rows[0];
  if (!row) {
    return;
  }
  const call = {
    callId,
    requestId: row.request_id,
    version: {
      resourceId: row.resource_id,
      versionId: row.version_id,
      version: version ?? (await deps.published.findVersion(row.version_id))?.version ?? 0,
      ownerId: row.owner_id,
    },
    paid: { payer: row.payer, network: row.network },
    startedAt: row.created_at.getTime(),
  };
  const record = toCallRecord(call, { ...ending, endedAt: deps.clock.now() });
  const { transaction } = row;
  const amountAtomic = transaction === null ? 0n : BigInt(row.charged);
  await recordCall(tx, { ...record, amountAtomic, transaction });
}

/** Says that this process is alive. */
export async function beat(deps: ProcessDeps): Promise<void> {
  await deps.database.system.query(
    `INSERT INTO gateway_processes (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET beat_at = now()`,
    [deps.processId],
  );
}

/** Forgets this process (graceful stop) and those that died long ago. */
export async function forgetProcess(deps: ProcessDeps): Promise<void> {
  await deps.database.system.query(
    `DELETE FROM gateway_processes WHERE id = $1 OR beat_at < now() - interval '1 day'`,
    [deps.processId],
  );
}
