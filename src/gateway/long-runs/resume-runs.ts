import { callColumns, restoreCall, type CallRow } from '../restore-call.ts';
import type { GatewayDeps } from '../gateway-deps.ts';
import { endCall } from '../end-call.ts';
import { holdInFlight } from '../hold-in-flight.ts';
import { carryOnVerified } from '../paid-call.ts';
import { DEAD_AFTER_SECONDS, isToBeResumed } from '../reconcile-calls.ts';
import { RUN_MARGIN_MS, runLimitMs } from '../run-limit.ts';
import { noteEnd } from './answer-later.ts';

const AT_ONCE = 8;

interface LostRow extends CallRow {
  id: string;
  version_id: string;
  process_id: string;
  is_pinned: boolean;
}

const selectLost = `
  SELECT id, version_id, process_id, is_pinned, ${callColumns} FROM calls JOIN long_calls ON call_id = id
  WHERE state = 'running' AND ${isToBeResumed}
    AND process_id NOT IN (SELECT gateway_processes.id FROM gateway_processes WHERE beat_at > now() - $1 * interval '1 second')
  ORDER BY deadline LIMIT $2`;

const takeOver = `
  WITH taken AS (
    UPDATE calls SET process_id = $2, updated_at = now(), deadline = now() + $4 * interval '1 millisecond'
    WHERE id = $1 AND state = 'running' AND process_id = $3
    RETURNING id)
  UPDATE long_calls SET takeovers = takeovers + 1 WHERE call_id IN (SELECT id FROM taken)`;

/**
 * Goes on with what processes that died were running behind a 202 and is not paid yet; to be called every few seconds. Of
 * several processes one takes a call. The runs go on in the background. @returns how many were begun.
 */
export async function resumeRuns(deps: GatewayDeps): Promise<number> {
  const room = AT_ONCE - deps.longRuns.size;
  if (room <= 0 || deps.callChanges.isClosed) {
    return 0;
  }
  const { rows } = await deps.database.system.query<LostRow>(selectLost, [DEAD_AFTER_SECONDS, room]);
  const begun = await Promise.all(rows.map((row) => resume(deps, row)));
  return begun.filter(Boolean).length;
}

async function resume(deps: GatewayDeps, row: LostRow): Promise<boolean> {
  const { id: callId, process_id: former } = row;
  const found = await deps.published.findVersion(row.version_id);
  if (!found) {
    return false;
  }
  const version = row.is_pinned ? { ...found, isPinned: true as const } : found;
  const restored = restoreCall(deps, { callId, version, row });
  const call = { ...restored, input: restored.input ?? {} };
  const deadlineInMs = runLimitMs(deps, call) + RUN_MARGIN_MS;
  const taken = await deps.database.system.query(takeOver, [callId, deps.processId, former, deadlineInMs]);
  if (taken.rowCount === 0) {
    return false;
  }
  deps.log.warn({ callId, former }, 'a run that another process had begun is carried on');
  void holdInFlight(deps, callId, noteEnd(deps, callId, endCall(deps, call, carryOnVerified(deps, call))));
  return true;
}

const NOBODY = '00000000-0000-0000-0000-000000000000';

/** This process stops: others go on with what it runs behind a 202, and nothing that it still does counts for these calls. */
export async function handOver(deps: Pick<GatewayDeps, 'database' | 'processId' | 'longRuns'>): Promise<void> {
  await deps.database.system.query(
    `UPDATE calls SET process_id = $2 WHERE process_id = $1 AND runs_long AND state IN ('running', 'fulfilling')`,
    [deps.processId, NOBODY],
  );
  deps.longRuns.forEach((controller) => controller.abort());
}
