import { callColumns, restoreCall, type CallRow } from '../restore-call.ts';
import type { GatewayDeps } from '../gateway-deps.ts';
import { abandonCall } from '../abandon-call.ts';
import { endCall } from '../end-call.ts';
import { holdInFlight } from '../hold-in-flight.ts';
import { fulfilCall } from '../fulfil-call.ts';
import { inOrder } from '../paid-call.ts';
import type { PaidCall } from '../call-record.ts';
import { toPaid } from '../carry-on.ts';
import { DEAD_AFTER_SECONDS, isToBeResumed } from '../reconcile-calls.ts';
import { longestRunMs, RUN_MARGIN_MS, runLimitMs } from '../run-limit.ts';
import type { Paid } from '../settle-call.ts';
import { noteEnd } from './answer-later.ts';

const BATCH = 50;
/** Of a process that stopped: it has handed its runs over. */
const NOBODY = '00000000-0000-0000-0000-000000000000';

interface LostRow extends CallRow {
  id: string;
  state: 'running' | 'fulfilling';
  version_id: string;
  process_id: string;
  is_pinned: boolean;
  transaction: string | null;
  settled_at: Date | null;
}

const selectLost = `
  SELECT id, state, version_id, process_id, is_pinned, transaction, settled_at, ${callColumns}
  FROM calls JOIN long_calls ON call_id = id
  WHERE ${isToBeResumed}
    AND process_id NOT IN (SELECT gateway_processes.id FROM gateway_processes WHERE beat_at > now() - $1 * interval '1 second')
  ORDER BY deadline LIMIT $2`;

const takeOver = `
  WITH taken AS (
    UPDATE calls SET process_id = $2, updated_at = now(), deadline = now() + $4 * interval '1 millisecond'
    WHERE id = $1 AND state = $5 AND process_id = $3
    RETURNING id)
  UPDATE long_calls SET takeovers = takeovers + ($3 <> '${NOBODY}')::int WHERE call_id IN (SELECT id FROM taken)`;

/**
 * Goes on with what processes that died or stopped were running behind a 202; to be called every few seconds. Of several
 * processes one takes a call. The runs go on in the background. @returns how many were begun.
 */
export async function resumeRuns(deps: GatewayDeps): Promise<number> {
  if (deps.callChanges.isClosed) {
    return 0;
  }
  const { rows } = await deps.database.system.query<LostRow>(selectLost, [DEAD_AFTER_SECONDS, BATCH]);
  const begun = await Promise.all(rows.map((row) => resume(deps, row)));
  return begun.filter(Boolean).length;
}

async function resume(deps: GatewayDeps, row: LostRow): Promise<boolean> {
  const { id: callId, state, process_id: former } = row;
  const found = await deps.published.findVersion(row.version_id);
  if (!found) {
    return false;
  }
  const version = row.is_pinned ? { ...found, isPinned: true as const } : found;
  const restored = restoreCall(deps, { callId, version, row });
  const call = { ...restored, input: restored.input ?? {} };
  const paid = toPaidAlready(call, row);
  const limitMs = (paid ? longestRunMs(call) : runLimitMs(deps, call)) + RUN_MARGIN_MS;
  const taken = await deps.database.system.query(takeOver, [callId, deps.processId, former, limitMs, state]);
  if (taken.rowCount === 0) {
    return false;
  }
  deps.log.warn({ callId, former }, 'a run that another process had begun is carried on');
  const carrying = paid ? fulfilCall(deps, call, paid) : inOrder[call.settlementPoint](deps, call);
  const ending = carrying.catch((error: unknown) => abandonCall(deps, call, error));
  void holdInFlight(deps, callId, noteEnd(deps, callId, endCall(deps, call, ending)));
  return true;
}

function toPaidAlready(call: PaidCall, { state, record, transaction, settled_at }: LostRow): Paid | null {
  return state === 'fulfilling' && record !== null && transaction !== null && settled_at !== null
    ? toPaid(call, { record, transaction, settled_at })
    : null;
}

/** This process stops: others go on with what it runs behind a 202, and nothing that it still does counts for these calls. */
export async function handOver(deps: Pick<GatewayDeps, 'database' | 'processId' | 'longRuns' | 'log'>): Promise<void> {
  const handed = deps.database.system.query(
    `UPDATE calls SET process_id = $2 WHERE process_id = $1 AND runs_long AND state IN ('running', 'fulfilling')`,
    [deps.processId, NOBODY],
  );
  // Without it others find out by themselves that this process is gone.
  await handed.catch((err: unknown) => deps.log.warn({ err }, 'long runs could not be handed over'));
  deps.longRuns.forEach((controller) => controller.abort());
}
