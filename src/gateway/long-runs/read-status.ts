import { isProblemCode, Problem, problemKinds, type ProblemCode } from '#kit/index.ts';
import { findUse, fromStoredOffer, fromStoredPayment } from '#payments/index.ts';
import { adoptEnded } from '../adopt-transfers.ts';
import type { CallStatus, FailedReceipt, LongState, Receipt, Settlement } from '../call-request.ts';
import { toReceiptParts, type StoredRecord } from '../call-record.ts';
import { toFailedReceipt } from '../failed-receipt.ts';
import type { GatewayDeps } from '../gateway-deps.ts';
import { cannotProduce } from '../give-up-owed.ts';
import { takeLook } from '../take-look.ts';
import { LONG_RETENTION_SECONDS } from './retention.ts';
import { findLong, noteEnded, type Ended, type LongRow } from './long-row.ts';

type StatusDeps = Pick<GatewayDeps, 'database' | 'published' | 'payments' | 'kinds' | 'publicUrl' | 'clock' | 'log'>;

const ASK_AGAIN_SECONDS = 2;

export interface FollowedCall {
  row: LongRow;
  status: CallStatus;
  /** Where money has moved. */
  settlement: Settlement | null;
}

/**
 * How a call behind a 202 stands now. Whether one that has ended without an answer was charged is asked of the chain
 * before that is said, unless the run itself has asked. Null: there is none under this id.
 */
export async function readStatus(deps: StatusDeps, callId: string): Promise<FollowedCall | null> {
  const row = await findLong(deps.database.system, callId);
  if (!row) {
    return null;
  }
  if (isUnasked(row)) {
    await askAboutEnded(deps, row);
    const now = await findLong(deps.database.system, callId);
    return now && toFollowed(deps, now);
  }
  return toFollowed(deps, row);
}

export function isOpen({ state }: Pick<CallStatus, 'state'>): boolean {
  return state === 'running' || state === 'settling' || state === 'owed';
}

const unasked: ReadonlySet<string> = new Set(['failed', 'refused']);

function isUnasked({ state, ended }: LongRow): boolean {
  return unasked.has(state) && ended?.charged === undefined;
}

/** It was given up while nobody looked, such as by a process that died; the chain is asked once a second. */
async function askAboutEnded(deps: StatusDeps, row: LongRow): Promise<void> {
  const wanted = await takeLook(deps, row.id);
  if (!wanted) {
    return;
  }
  const use = await findUse(deps.payments, fromStoredPayment(row.payment), wanted);
  if (use.status === 'settled') {
    await adoptEnded(deps, row.id, use.transaction);
  } else if (use.status === 'unused' || use.status === 'spent') {
    await noteEnded(deps.database.system, row.id, { ...toGivenUp(row.reason), charged: false });
  }
}

/** What a call reads that its buyer has taken back. */
const cancelled: Ended = {
  code: 'gone',
  detail: 'The call was cancelled before it was paid. Nothing was charged.',
  next: 'Call the resource again for an answer; the same payment may be used while it is valid.',
};

function toGivenUp(reason: string | null): Ended {
  const code: ProblemCode = reason !== null && isProblemCode(reason) ? reason : 'upstream_timeout';
  return { code, detail: 'Resource unavailable. Nothing was charged.', next: problemKinds[code].next };
}

async function toFollowed(deps: StatusDeps, row: LongRow): Promise<FollowedCall> {
  const state = toState(row);
  const charged = toCharged(row, state);
  const ended = toEnded(row, state);
  const settlement = charged === true ? toKeptSettlement(row) : null;
  const receipt = await toReceipt(deps, row, { charged, ended, settlement });
  const base = `${deps.publicUrl}/api/calls/${row.id}`;
  const endsAt = isOpen({ state }) ? deps.clock.now() : row.updated_at.getTime();
  const status: CallStatus = {
    callId: row.id,
    state,
    progress: toProgress(row),
    resource: row.resource,
    createdAt: row.created_at.toISOString(),
    updatedAt: newer(row.updated_at, row.progress_at).toISOString(),
    expiresAt: new Date(endsAt + LONG_RETENTION_SECONDS * 1000).toISOString(),
    charged,
    receipt,
    problem: ended && toProblem(ended),
    statusUrl: base,
    resultUrl: `${base}/result`,
    cancelUrl: `${base}/cancel`,
    retryAfterSeconds: isOpen({ state }) ? ASK_AGAIN_SECONDS : null,
  };
  return { row, status, settlement };
}

function toState(row: LongRow): LongState {
  switch (row.state) {
    case 'claimed':
    case 'running':
    case 'fulfilling':
      return 'running';
    case 'settling':
    case 'pending':
      return 'settling';
    case 'settled':
    case 'delivered':
      return row.has_answer ? 'succeeded' : 'expired';
    case 'owed':
      return row.has_answer ? 'succeeded' : toOwed(row);
    case 'failed':
    case 'refused':
      return row.cancelled_at ? 'cancelled' : 'failed';
    case 'unpaid':
    case 'refunded':
      return 'failed';
  }
}

function toOwed(row: LongRow): LongState {
  if (row.is_given_up) {
    return 'failed';
  }
  return row.can_rerun ? 'owed' : 'expired';
}

/** A call that is not paid yet may still be, and somebody else may have sent its payment. */
function toCharged(row: LongRow, state: LongState): boolean | null {
  if (row.settled_at !== null) {
    return true;
  }
  if (row.state === 'unpaid') {
    return false;
  }
  return state === 'failed' || state === 'cancelled' ? (row.ended?.charged ?? null) : null;
}

function toEnded(row: LongRow, state: LongState): Ended | null {
  switch (state) {
    case 'expired': {
      const detail = `The answer is no longer kept. Its transaction is ${row.transaction ?? 'unknown'}.`;
      return { code: 'gone', detail, next: 'Sign a new payment for a new answer.' };
    }
    case 'cancelled':
      // The run that was cut off has noted its own end.
      return row.ended?.charged === false ? { ...cancelled, charged: false } : unknownEnd;
    case 'failed':
      return toFailed(row);
    default:
      return null;
  }
}

function toFailed(row: LongRow): Ended {
  if (row.state === 'owed') {
    const { code, message: detail, next } = cannotProduce(row.reason, row.transaction ?? 'unknown').problem;
    return { code, detail, next };
  }
  if (row.state === 'refunded') {
    return { code: 'gone', detail: 'The payment was given back.', next: 'Sign a new payment for a new answer.' };
  }
  if (row.state === 'unpaid') {
    const detail = `The payment was refused when it was settled (${row.reason ?? 'no reason given'}). Nothing was charged.`;
    return { code: 'payment_in_use', detail, next: 'Sign a new payment.' };
  }
  return row.ended ?? unknownEnd;
}

const unknownEnd: Ended = {
  code: 'unavailable',
  detail: 'There is no answer, and the network could not be asked yet whether this payment was used.',
  next: 'Ask again in a moment; do not sign a new payment before.',
};

function toProblem({ code, detail, next }: Ended): NonNullable<CallStatus['problem']> {
  const known = isProblemCode(code) ? code : 'internal';
  return { code: known, title: problemKinds[known].title, detail, next };
}

/** The problem of a call without an answer, as its result is answered with. */
export function toEndedProblem({ code, detail, next }: NonNullable<CallStatus['problem']>): Problem {
  return new Problem(code, { detail, next });
}

function toProgress({ progress, progress_at: at }: LongRow): CallStatus['progress'] {
  return progress && at ? { ...progress, at: at.toISOString() } : null;
}

function newer(a: Date, b: Date | null): Date {
  return b !== null && b > a ? b : a;
}

function toKeptSettlement(row: LongRow): Settlement {
  const { x402Version, network, payer } = row.payment;
  const { amountAtomic: amount } = row.offer;
  return { x402Version, success: true, transaction: row.transaction ?? '', network, payer, amount };
}

interface Told {
  charged: boolean | null;
  ended: Ended | null;
  settlement: Settlement | null;
}

async function toReceipt(
  deps: StatusDeps,
  row: LongRow,
  { charged, ended, settlement }: Told,
): Promise<Receipt | FailedReceipt | null> {
  const parts = await toParts(deps, row);
  if (!parts) {
    return null;
  }
  if (ended) {
    const told = { problem: toEndedProblem(toProblem(ended)), ...(settlement ? { settlement } : {}) };
    const at = row.settled_at ?? row.updated_at;
    return toFailedReceipt(parts, charged === null ? told : { ...told, charged }, at);
  }
  return row.settled_at && { ...parts, transaction: row.transaction, at: row.settled_at.toISOString() };
}

async function toParts(deps: StatusDeps, row: LongRow): Promise<StoredRecord['receipt'] | null> {
  if (row.record !== null) {
    return (JSON.parse(row.record) as StoredRecord).receipt;
  }
  const version = await deps.published.findVersion(row.version_id);
  const call = { callId: row.id, offer: fromStoredOffer(row.offer), payment: fromStoredPayment(row.payment) };
  return version && { ...toReceiptParts(deps, { ...call, version }), resource: row.resource };
}
