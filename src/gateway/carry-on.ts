import { fromStoredOffer } from '#payments/index.ts';
import { toBatch, type PublishedVersion } from '#resources/index.ts';
import { PAID_BY_OTHERS } from './adopt-transfer.ts';
import type { CallOutcome } from './call-request.ts';
import type { PaidCall, StoredRecord } from './call-record.ts';
import { fulfilCall } from './fulfil-call.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { cannotProduce, isGivenUp } from './give-up-owed.ts';
import { holdInFlight } from './hold-in-flight.ts';
import { keepSent } from './keep-inputs.ts';
import { countUnanswered } from './batches/batch-rows.ts';
import { quoteWorst, quoteWorstOfItems } from './quote-worst.ts';
import { readStanding } from './read-standing.ts';
import { callColumns, restoreCall, type CallRow } from './restore-call.ts';
import { longestRunMs, RUN_MARGIN_MS } from './run-limit.ts';
import { toSettlement, type Paid } from './settle-call.ts';
import { transition, transitionReturning } from './transitions.ts';

/** Without being asked; afterwards a call is run again only when its buyer sends the payment again. */
const RUNS_WITHOUT_BUYER = 3;
const AT_ONCE = 8;

/** Between two runs of one call: each costs its creator, so they come ever more seldom. */
const pause = `least(2 * power(4, greatest(runs, 1) - 1), 3600) * interval '1 second'`;
const isDue = `state = 'owed' AND input IS NOT NULL AND updated_at <= now() - ${pause}`;

const selectOwed = `
  SELECT id FROM calls WHERE ${isDue} AND answer IS NULL AND runs < $1 AND trust_usd IS NULL AND NOT ${isGivenUp} ORDER BY updated_at LIMIT $2`;
const selectVersion = `
  SELECT version_id, is_batch, reason, transaction, offer, trust_usd IS NOT NULL AS has_lost, ${isGivenUp} AS is_given_up,
    ${isDue} AS is_due, extract(epoch FROM updated_at + ${pause} - now())::float8 AS wait_seconds
  FROM calls WHERE id = $1 AND state = 'owed' AND input IS NOT NULL`;

/** While a creator has lost as much in a day as may be lost; then there is room again. */
const WAIT_FOR_ROOM_SECONDS = 3600;

interface AskedRow {
  version_id: string;
  is_batch: boolean;
  reason: string | null;
  transaction: string;
  offer: CallRow['offer'];
  has_lost: boolean;
  is_given_up: boolean;
  is_due: boolean;
  wait_seconds: number;
}

interface OwedRow extends CallRow {
  record: string;
  transaction: string;
  settled_at: Date;
  is_counted: boolean;
}

const columns = `${callColumns}, transaction, settled_at, trust_usd IS NOT NULL AS is_counted`;

/** A call that was paid by others after it had ended waits for the request of its buyer, which brings the input. */
const giveInput = `
  UPDATE calls SET input = $2 WHERE id = $1 AND state = 'owed' AND answer IS NULL AND input IS NULL AND reason = $3`;

const selectWaiting = `
  SELECT version_id FROM calls WHERE id = $1 AND state = 'owed' AND answer IS NULL AND input IS NULL AND reason = $2`;

/** `outcome`: once the run has ended. */
type Rerun =
  | { kind: 'run'; outcome: Promise<CallOutcome> }
  | { kind: 'given up'; outcome: CallOutcome }
  | { kind: 'wait'; retryAfterSeconds: number }
  | { kind: 'taken' };

/**
 * owed -> fulfilling: runs a paid call again from what its row holds, in whichever process this is, without a new charge.
 * `input`: of the buyer's request, for a call that waits for it. `given up`: it is not run any more. `wait`: too soon after
 * the last run, or its creator may lose no more today. `taken`: it is not owed any more, or there is nothing to run it from.
 */
export async function rerunOwed(deps: GatewayDeps, callId: string, input?: PaidCall['input']): Promise<Rerun> {
  const { system } = deps.database;
  if (input) {
    await bringInput(deps, callId, input);
  }
  const found = await system.query<AskedRow>(selectVersion, [callId]);
  const owed = found.rows[0];
  if (owed?.is_given_up) {
    return { kind: 'given up', outcome: cannotProduce(owed.reason, owed.transaction) };
  }
  const one = owed && (await deps.published.findVersion(owed.version_id));
  if (!owed || !one) {
    return { kind: 'taken' };
  }
  if (!owed.is_due) {
    return { kind: 'wait', retryAfterSeconds: Math.max(1, Math.ceil(owed.wait_seconds)) };
  }
  const reservedUsd = owed.is_batch
    ? await quoteWorstOfItems(deps, one, await countUnanswered(system, callId))
    : await quoteWorst(deps, one, fromStoredOffer(owed.offer));
  if (owed.has_lost && (await isBeyond(deps, { callId, moreUsd: reservedUsd }))) {
    return { kind: 'wait', retryAfterSeconds: WAIT_FOR_ROOM_SECONDS };
  }
  const runsMs = longestRunMs({ version: owed.is_batch ? toBatch(one) : one });
  return begin(deps, { callId, version: one, runsMs, reservedUsd });
}

/** Files are kept first, so that all runs have the same. */
async function bringInput(deps: GatewayDeps, callId: string, input: PaidCall['input']): Promise<void> {
  const { system } = deps.database;
  const { rows } = await system.query<{ version_id: string }>(selectWaiting, [callId, PAID_BY_OTHERS]);
  const version = rows[0] && (await deps.published.findVersion(rows[0].version_id));
  if (version) {
    const kept = await keepSent(deps, { version, callId, clientAddress: 'unknown', input });
    await system.query(giveInput, [callId, JSON.stringify(kept.input), PAID_BY_OTHERS]);
  }
}

/** What a run may cost is counted before the bound is asked, so that of runs that begin at once the last sees the others. */
async function begin(
  deps: GatewayDeps,
  owed: { callId: string; version: PublishedVersion; runsMs: number; reservedUsd: string },
): Promise<Rerun> {
  const { callId, version, runsMs, reservedUsd } = owed;
  const { system } = deps.database;
  const deadlineInMs = runsMs + RUN_MARGIN_MS;
  const changes = { processId: deps.processId, deadlineInMs, reservedUsd, columns };
  const row = await transitionReturning<OwedRow>(system, { callId, name: 'rerun' }, changes);
  if (!row) {
    return { kind: 'taken' };
  }
  if (row.is_counted && (await isBeyond(deps, { callId }))) {
    await transition(system, { callId, name: 'owe' }, { costUsd: '0', reservedUsd, ofRun: row.runs });
    return { kind: 'wait', retryAfterSeconds: WAIT_FOR_ROOM_SECONDS };
  }
  const restored = restoreCall(deps, { callId, version, row });
  const call: PaidCall = { ...restored, input: restored.input ?? {}, ...(row.is_counted ? { reservedUsd } : {}) };
  const fulfilled = fulfilCall(deps, call, toPaid(call, row));
  return { kind: 'run', outcome: holdInFlight(deps, callId, fulfilled) };
}

async function isBeyond(deps: GatewayDeps, asked: { callId: string; moreUsd?: string }): Promise<boolean> {
  return (await readStanding(deps.database.system, asked)).beyondOfCreator !== null;
}

/**
 * Begins to run what is owed to buyers whose call was lost with its process or failed after it was paid; to be called
 * every few seconds. The runs themselves go on in the background. @returns how many were begun.
 */
export async function carryOnOwed(deps: GatewayDeps): Promise<number> {
  // What takes an hour holds up nobody.
  const room = AT_ONCE - [...deps.reruns].filter((id) => !deps.longRuns.has(id)).length;
  if (room <= 0) {
    return 0;
  }
  const { rows } = await deps.database.system.query<{ id: string }>(selectOwed, [RUNS_WITHOUT_BUYER, room]);
  for (const { id } of rows.filter((row) => !deps.reruns.has(row.id))) {
    deps.reruns.add(id);
    void rerunOwed(deps, id)
      .then((rerun) => (rerun.kind === 'run' ? rerun.outcome : null))
      .catch((error: unknown) => deps.log.error({ err: error, callId: id }, 'an owed call could not be run again'))
      .finally(() => deps.reruns.delete(id));
  }
  return rows.length;
}

/** What a call that is paid already may be answered with. */
export function toPaid(
  call: Pick<PaidCall, 'payment' | 'offer'>,
  row: Pick<OwedRow, 'record' | 'transaction' | 'settled_at'>,
): Paid {
  const { receipt } = JSON.parse(row.record) as StoredRecord;
  const { transaction } = row;
  return {
    receipt: { ...receipt, transaction, at: row.settled_at.toISOString() },
    settlement: toSettlement(call, { success: true, transaction }),
  };
}
