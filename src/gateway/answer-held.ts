import { setTimeout as wait } from 'node:timers/promises';
import { parseExactJson, Problem } from '#kit/index.ts';
import { findUse, isSamePayment, type Payment } from '#payments/index.ts';
import { jsonAnswer } from '#resources/index.ts';
import { PAID_BY_OTHERS } from './adopt-transfer.ts';
import { adoptEnded } from './adopt-transfers.ts';
import { askForProof, isBuyer, type Shown } from './buyer-proof.ts';
import type { CallOutcome, EventsAsked, GivenAnswer, Settlement } from './call-request.ts';
import type { StoredRecord } from './call-record.ts';
import type { HeldCall } from './claim.ts';
import { toFailedReceipt } from './failed-receipt.ts';
import { followStream } from './follow-stream.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { isRerunnable } from './give-up-owed.ts';
import type { NamedVersion } from './offer-version.ts';
import { rerunOwed } from './carry-on.ts';
import { findAccepted } from './long-runs/answer-later.ts';
import { resolvePending } from './resolve-pending.ts';
import {
  answerOwed,
  buyerUnproven,
  chargeUnknown,
  firstRequestFailed,
  justLookedUp,
  paymentInUse,
  paymentRefused,
  paymentUsedUp,
  settlementPending,
  tooManyReaders,
} from './public-problem.ts';
import { takeLook } from './take-look.ts';
import { toGivenAnswer, type StoredAnswer } from './stored-answer.ts';

const WAIT_LIMIT_MS = 20_000;
const POLL_MS = 200;
const BEFORE_OUTPUT = ['claimed', 'running', 'settling'];
const OPEN = [...BEFORE_OUTPUT, 'fulfilling'];

export interface Again {
  payment: Payment;
  fingerprint: string;
  shown: Shown;
  version: NamedVersion;
  /** Of the request, where it was read. */
  input?: Record<string, unknown> | undefined;
  /** As a stream. */
  events?: EventsAsked | undefined;
  /** Aborts when the client has gone. */
  gone?: AbortSignal | undefined;
}

interface KeptRow {
  state: string;
  answer: string | null;
  record: string | null;
  transaction: string | null;
  reason: string | null;
  settled_at: Date | null;
  /** Paid without an answer, or with one in part, and what it takes to make it is there. */
  can_rerun: boolean;
  /** The same, but the input has to come from the buyer's request. */
  awaits_input: boolean;
}

const selectKept = `
  SELECT state, answer, record, transaction, reason, settled_at, ${isRerunnable} AS can_rerun,
    state = 'owed' AND answer IS NULL AND input IS NULL AND reason = '${PAID_BY_OTHERS}' AS awaits_input
  FROM calls WHERE id = $1`;

/**
 * The same payment again: the answer that it bought, or a clear refusal. It never runs a second time. Who has not shown to
 * be the buyer is told what became of the payment, and no part of the answer.
 */
export async function answerHeld(deps: GatewayDeps, held: HeldCall, again: Again): Promise<CallOutcome> {
  if (!isSameRequest(held, again)) {
    return paymentUsedUp(
      'This payment was used for another request: one payment buys one answer to one request.',
      'Sign a new payment for this request.',
    );
  }
  // By what the request met: a call that settles while it waits was a secret when it came.
  const isProven = await isBuyer(deps, held, again);
  const later = isProven && held.runs_long ? await findAccepted(deps, held.id, again.input) : null;
  // Of a stream that is running nothing is read for whoever is refused: its wallet learns at once what to sign.
  const outcome = later ?? (await findOutcome(deps, held, again));
  if (!isProven) {
    return withhold(deps, held, { again, outcome });
  }
  return outcome.kind === 'problem' ? withReceipt(deps, outcome, { callId: held.id, again }) : outcome;
}

async function findOutcome(deps: GatewayDeps, held: HeldCall, again: Again): Promise<CallOutcome> {
  const stream = again.events && (await findStream(deps, held.id, again));
  if (stream) {
    return stream;
  }
  const closed = await untilClosed(deps, held.id, OPEN);
  const row = closed && (await askAboutEnded(deps, { ...closed, id: held.id }, again));
  if (row?.state === 'pending') {
    await resolvePending(deps, held.id);
    return toOutcome(await readKept(deps, held.id), held.id, again);
  }
  if (row?.can_rerun === true || (row?.awaits_input === true && again.input)) {
    const rerun = await rerunOwed(deps, held.id, again.input);
    if (row.answer !== null) {
      // Of many inputs some have their answer already, which is there to be read meanwhile.
      return (await findAccepted(deps, held.id, undefined)) ?? toOutcome(await readKept(deps, held.id), held.id, again);
    }
    if (rerun.kind === 'run') {
      return giveRerun(deps, rerun.outcome, { callId: held.id, again });
    }
    if (rerun.kind === 'given up') {
      return rerun.outcome;
    }
    if (rerun.kind === 'wait') {
      return answerOwed(rerun.retryAfterSeconds);
    }
    return toOutcome(await untilClosed(deps, held.id, OPEN), held.id, again);
  }
  return toOutcome(row, held.id, again);
}

/** A run that has begun, for whoever wants events while it goes on; it may be over before it is looked at. */
async function giveRerun(
  deps: GatewayDeps,
  ending: Promise<CallOutcome>,
  { callId, again }: { callId: string; again: Again },
): Promise<CallOutcome> {
  // With a stream in hand nobody waits for its end.
  ending.catch((err: unknown) => deps.log.error({ err, callId }, 'an owed call could not be run again'));
  const stream = again.events && (await findStream(deps, callId, again));
  const outcome = stream ?? (await ending);
  // The run was not asked for a stream: what is kept of it tells its places.
  const isWhole = again.events && !stream && outcome.kind === 'answer';
  return isWhole ? toOutcome(await readKept(deps, callId), callId, again) : outcome;
}

function withhold(
  deps: GatewayDeps,
  held: HeldCall,
  { again, outcome }: { again: Again; outcome: CallOutcome },
): CallOutcome {
  if (outcome.kind !== 'answer') {
    return outcome;
  }
  const { transaction } = outcome.answer.receipt;
  return { ...buyerUnproven(transaction), proof: askForProof(deps, held, { asking: again, transaction }) };
}

/** Of a call that stands without its answer, from what was stored before its money could move. */
async function withReceipt(
  deps: GatewayDeps,
  outcome: CallOutcome & { kind: 'problem' },
  { callId, again }: { callId: string; again: Again },
): Promise<CallOutcome> {
  const row = await readKept(deps, callId);
  if (!row?.record || !['pending', 'owed', 'unpaid', 'settled', 'delivered'].includes(row.state)) {
    return outcome;
  }
  const { receipt: parts, record } = JSON.parse(row.record) as StoredRecord;
  const settled = row.transaction ? { settlement: toKeptSettlement(again.payment, row.transaction, record) } : {};
  const told = { ...settled, ...outcome };
  return { ...told, receipt: toFailedReceipt(parts, told, row.settled_at ?? new Date(deps.clock.now())) };
}

function toKeptSettlement(
  { x402Version, network, payer }: Payment,
  transaction: string,
  { amountAtomic }: StoredRecord['record'],
): Settlement {
  return { x402Version, success: true, transaction, network, payer, amount: amountAtomic };
}

/** A call that has ended without being paid: whether it still was not is asked before its buyer reads that. */
async function askAboutEnded(deps: GatewayDeps, row: KeptRow & { id: string }, again: Again): Promise<KeptRow | null> {
  if (!['unpaid', 'failed', 'refused'].includes(row.state)) {
    return row;
  }
  const wanted = await takeLook(deps, row.id);
  if (!wanted) {
    return { ...row, state: 'looked up' };
  }
  const use = await findUse(deps.payments, again.payment, wanted);
  if (use.status === 'settled' && (await adoptEnded(deps, row.id, use.transaction))) {
    return readKept(deps, row.id);
  }
  return use.status === 'unused' || use.status === 'spent' ? row : { ...row, state: 'unknown' };
}

/** The very payment that a call holds, for the request that it holds it for. */
export function isSameRequest({ fingerprint, payment }: HeldCall, again: Again): boolean {
  return fingerprint === again.fingerprint && isSamePayment(payment, again.payment);
}

/** Of a call whose answer is being made, what has come of it and what still comes; null: it is not at that. */
async function findStream(
  deps: GatewayDeps,
  callId: string,
  { payment, events, gone }: Again,
): Promise<CallOutcome | null> {
  const row = await untilClosed(deps, callId, BEFORE_OUTPUT);
  if (row?.state !== 'fulfilling' || row.record === null || row.transaction === null || row.settled_at === null) {
    return null;
  }
  if (!deps.streams.hasRoom(callId)) {
    return tooManyReaders();
  }
  const { receipt, record } = JSON.parse(row.record) as StoredRecord;
  const { transaction } = row;
  const answer: GivenAnswer = {
    ...jsonAnswer({}),
    body: { type: 'live', parts: followStream(deps, callId, { after: events?.after ?? null, gone }) },
    isSimulated: record.isSimulated,
    isTest: false,
    receipt: { ...receipt, transaction, at: row.settled_at.toISOString() },
  };
  return { kind: 'answer', answer, callId, isPaid: true, settlement: toKeptSettlement(payment, transaction, record) };
}

/** Waits for a call that another request is carrying out, in this process or in another one. */
async function untilClosed(deps: GatewayDeps, callId: string, open: readonly string[]): Promise<KeptRow | null> {
  const until = Date.now() + WAIT_LIMIT_MS;
  for (;;) {
    const row = await readKept(deps, callId);
    if (row === null || !open.includes(row.state) || Date.now() >= until) {
      return row;
    }
    const ours = deps.inFlight.get(callId);
    await (ours ? Promise.race([ours.catch(() => {}), wait(until - Date.now(), null, { ref: false })]) : wait(POLL_MS));
  }
}

/** The answer of a paid call as it is kept, for whoever has shown to be its buyer. */
export async function giveKept(deps: GatewayDeps, callId: string, payment: Payment): Promise<CallOutcome> {
  return toOutcome(await readKept(deps, callId), callId, { payment });
}

async function readKept(deps: GatewayDeps, callId: string): Promise<KeptRow | null> {
  const found = await deps.database.system.query<KeptRow>({ name: 'calls_kept', text: selectKept, values: [callId] });
  return found.rows[0] ?? null;
}

function toOutcome(row: KeptRow | null, callId: string, again: Pick<Again, 'payment' | 'events'>): CallOutcome {
  switch (row?.state) {
    case 'settled':
    case 'delivered':
    case 'owed':
      return toKeptAnswer(row, callId, again);
    case 'pending':
      return settlementPending();
    case 'unpaid':
      return paymentRefused(row.reason);
    case 'looked up':
      return justLookedUp();
    case 'unknown':
      return chargeUnknown();
    case undefined:
    case 'failed':
    case 'refused':
      return firstRequestFailed();
    default:
      return paymentInUse(
        'Another request with this payment is still being carried out.',
        'Send the same payment again after the Retry-After time.',
      );
  }
}

function toKeptAnswer(
  row: KeptRow,
  callId: string,
  { payment, events }: Pick<Again, 'payment' | 'events'>,
): CallOutcome {
  if ((row.can_rerun && row.answer === null) || row.awaits_input) {
    return answerOwed();
  }
  if (row.answer === null || row.record === null || row.transaction === null || row.settled_at === null) {
    const problem = new Problem('gone', {
      detail: `This payment bought an answer that is no longer kept. Its transaction is ${row.transaction ?? 'unknown'}.`,
      next: 'Sign a new payment for a new answer.',
    });
    return { kind: 'problem', problem, charged: true };
  }
  const answer = parseExactJson(row.answer) as StoredAnswer;
  const { receipt, record } = JSON.parse(row.record) as StoredRecord;
  return {
    kind: 'answer',
    answer: toGivenAnswer(
      answer,
      { ...receipt, transaction: row.transaction, at: row.settled_at.toISOString() },
      events,
    ),
    callId,
    isPaid: true,
    settlement: toKeptSettlement(payment, row.transaction, record),
  };
}
