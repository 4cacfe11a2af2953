import { awaitFirstOutput, collectParts } from '#execution/index.ts';
import type { Evidence, Failure, Outcome, WholeBody } from '#resources/index.ts';
import { recordCall } from '#usage/index.ts';
import { fulfilBatch } from './batches/fulfil-batch.ts';
import type { CallOutcome, GivenAnswer } from './call-request.ts';
import { toLogged, toStoredRecord, type PaidCall, type StoredRecord } from './call-record.ts';
import { DELIVERY_DEADLINE_MS } from './close-settled.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { cannotProduce, isGivenUp } from './give-up-owed.ts';
import { holdInFlight } from './hold-in-flight.ts';
import { fetchMissing, hasFiles } from './keep-inputs.ts';
import { keepParts, readAll, type WholeParts } from './keep-parts.ts';
import { forgetStream, type KeptStream } from './keep-streams.ts';
import type { LastPart } from './open-reader.ts';
import { answerOwed, settlementPending } from './public-problem.ts';
import { quoteWorst } from './quote-worst.ts';
import { startRun, type Output } from './run-call.ts';
import { withMedia } from './receipt-media.ts';
import { longestRunMs } from './run-limit.ts';
import type { Paid } from './settle-call.ts';
import { toGivenAnswer, toStoredAnswer, toStoredParts, toWholeStream, type StoredAnswer } from './stored-answer.ts';
import { transitionReturning } from './transitions.ts';

type Whole = { ok: true; stored: StoredAnswer; evidence: Evidence } | Failure;

/** The answer is stored and paid: out with it. */
export function giveAnswer(call: PaidCall, paid: Paid, { answer, evidence }: Output<WholeBody>): CallOutcome {
  const { isSimulated } = evidence;
  const receipt = withMedia(paid.receipt, answer.media);
  return toAnswer(call, paid, { ...answer, isSimulated, isTest: false, receipt });
}

/**
 * Paid at its first output, of which the rest goes out while it comes, or in one piece to whoever wants it so. fulfilling ->
 * settled at its end, or -> owed.
 */
export async function giveFromFirstOutput(
  deps: GatewayDeps,
  call: PaidCall,
  begun: { paid: Paid; output: Output },
): Promise<CallOutcome> {
  const { paid, output } = begun;
  const { body, ...answer } = output.answer;
  if (body.type !== 'parts') {
    return giveAnswer(call, paid, { ...output, answer: { ...answer, body } });
  }
  if (!call.events) {
    return finish(deps, call, { paid, outcome: output });
  }
  const keeping = { parts: body.parts, run: call.run, kept: deps.streams.open(call) };
  const { live, ended } = keepParts(keeping, (whole) => close(deps, call, toWhole(call, answer, whole)));
  void holdInFlight(deps, call.callId, ended);
  const { isSimulated } = output.evidence;
  const { receipt } = paid;
  return toAnswer(call, paid, { ...answer, body: { type: 'live', parts: live }, isSimulated, isTest: false, receipt });
}

/** Paid, and nothing run yet: fulfilling -> settled with the answer stored, or -> owed. */
export async function fulfilCall(deps: GatewayDeps, call: PaidCall, paid: Paid): Promise<CallOutcome> {
  if (call.version.batchOf) {
    return fulfilBatch(deps, call, paid);
  }
  const { started } = startRun(deps, await fetchMissing(deps, call), longestRunMs(call));
  return finish(deps, call, { paid, outcome: await awaitFirstOutput(await started) });
}

async function finish(
  deps: GatewayDeps,
  call: PaidCall,
  { paid, outcome }: { paid: Paid; outcome: Outcome },
): Promise<CallOutcome> {
  const kept = call.settlementPoint === 'at_first_output' ? deps.streams.open(call) : null;
  const whole = await readWhole(call, outcome, kept);
  await kept?.close();
  const last = await close(deps, call, whole);
  kept?.announce();
  if (last.type === 'error') {
    return { kind: 'problem', problem: last.problem, charged: true, settlement: paid.settlement };
  }
  return whole.ok ? toAnswer(call, paid, toGivenAnswer(whole.stored, paid.receipt, call.events)) : answerOwed();
}

/**
 * An output whose payment did not settle is withheld. Where the money may still have moved, the run goes on and its
 * answer is kept for that case; where it certainly did not, nothing more is spent on it. Returns what the buyer is told.
 */
export function withholdOutput(
  deps: GatewayDeps,
  call: PaidCall,
  begun: { output: Output; isPending: boolean; outcome: CallOutcome; cancel(): void },
): CallOutcome {
  if (!begun.isPending) {
    begun.cancel();
    return begun.outcome;
  }
  const work = async (): Promise<void> => {
    const whole = await readWhole(call, begun.output, null);
    if (!whole.ok) {
      await oweCall(deps, call, whole);
      return;
    }
    // The settlement may become known between two of these.
    const isKept = (await storeWhole(deps, call, whole)) || (await storePending(deps, call, whole));
    if (!isKept) {
      await storeWhole(deps, call, whole);
    }
  };
  const working = work().catch((error: unknown) => {
    deps.log.error({ err: error, callId: call.callId }, 'the answer of a pending call could not be stored');
  });
  void holdInFlight(deps, call.callId, working);
  return begun.outcome;
}

function toAnswer(call: PaidCall, paid: Paid, answer: GivenAnswer): CallOutcome {
  return { kind: 'answer', answer, callId: call.callId, isPaid: true, settlement: paid.settlement };
}

/** Parts stay parts where they are what was sold. */
async function readWhole(call: PaidCall, outcome: Outcome, kept: KeptStream | null): Promise<Whole> {
  if (outcome.ok && outcome.answer.body.type === 'parts' && call.settlementPoint === 'at_first_output') {
    const { body, ...answer } = outcome.answer;
    return toWhole(call, answer, await readAll({ parts: body.parts, kept }));
  }
  const collected = await collectParts(outcome);
  return collected.ok
    ? { ok: true, stored: toStoredAnswer(collected.answer, collected.evidence), evidence: collected.evidence }
    : collected;
}

function toWhole({ run }: PaidCall, answer: Parameters<typeof toStoredParts>[0], { parts, end }: WholeParts): Whole {
  if (!end.ok) {
    return end;
  }
  const { evidence, json = {} } = end;
  return { ok: true, stored: toStoredParts(answer, { run, parts, json, evidence }), evidence };
}

/** Never rejects: what could not be written down is finished by the reconciler. */
async function close(deps: GatewayDeps, call: PaidCall, whole: Whole): Promise<LastPart> {
  try {
    if (whole.ok) {
      const isStored = await storeWhole(deps, call, whole);
      if (isStored && hasFiles(call.version)) {
        void deps.inputs.forget(call.callId);
      }
      const { json } = toWholeStream(whole.stored);
      return isStored
        ? { type: 'done', json, media: whole.stored.media }
        : { type: 'error', problem: answerOwed().problem };
    }
    const { givenUp } = await oweCall(deps, call, whole);
    return { type: 'error', problem: (givenUp ?? answerOwed(whole.retryAfterSeconds)).problem };
  } catch (error) {
    deps.log.error({ err: error, callId: call.callId }, 'a paid call could not be closed');
    return { type: 'error', problem: settlementPending().problem };
  }
}

interface PaidRow {
  record: string;
  transaction: string;
  charged: string;
}

const columns = `record, transaction, offer->>'amountAtomic' AS charged`;

interface OwedRow extends PaidRow {
  is_given_up: boolean;
}

async function storeWhole(deps: GatewayDeps, call: PaidCall, whole: Whole & { ok: true }): Promise<boolean> {
  const { callId } = call;
  return deps.database.transaction(async (tx) => {
    const { reservedUsd } = call;
    const changes = { answer: whole.stored, deadlineInMs: DELIVERY_DEADLINE_MS, reservedUsd, columns };
    const row = await transitionReturning<PaidRow>(tx, { callId, name: 'fulfil' }, changes);
    if (row) {
      await forgetStream(tx, call);
      await recordCall(tx, {
        ...toEnded(row, whole.evidence, deps.clock.now() - call.startedAt),
        at: new Date(deps.clock.now()),
      });
    }
    return row !== null;
  });
}

/**
 * What it cost and why it failed is told to the creator at once; what becomes of it later replaces that. A run that was
 * given up and fails late leaves the call to the run that took its place. `givenUp`: it is not run again.
 */
async function oweCall(
  deps: GatewayDeps,
  call: PaidCall,
  failure: Failure,
): Promise<{ givenUp: ReturnType<typeof cannotProduce> | null }> {
  const { callId, reservedUsd } = call;
  const costUsd = failure.evidence.costUsd ?? reservedUsd ?? (await quoteWorst(deps, call.version, call.offer));
  const owed = await deps.database.transaction(async (tx) => {
    const changes = { reason: failure.problem, ofRun: call.run, ofProcess: deps.processId, costUsd, reservedUsd };
    const asked = { ...changes, columns: `${columns}, ${isGivenUp} AS is_given_up` };
    const row = await transitionReturning<OwedRow>(tx, { callId, name: 'owe' }, asked);
    if (row) {
      const record = toEnded(row, failure.evidence, deps.clock.now() - call.startedAt);
      const { problem, cause } = failure;
      await recordCall(tx, { ...record, status: 'owed', problem, cause, at: new Date(deps.clock.now()) });
    }
    return row;
  });
  const { resourceId } = call.version;
  const isOwed = owed !== null;
  deps.log.warn({ callId, resourceId, cause: failure.cause, isOwed }, 'the run of a paid call failed');
  return { givenUp: owed?.is_given_up === true ? cannotProduce(failure.problem, owed.transaction) : null };
}

function toEnded(row: PaidRow, evidence: Evidence, latencyMs: number) {
  const { record } = JSON.parse(row.record) as StoredRecord;
  const { transaction } = row;
  const amountAtomic = BigInt(row.charged);
  return { ...record, ...toLogged(evidence), latencyMs: Math.round(latencyMs), amountAtomic, transaction };
}

const keepPending = `
  UPDATE calls SET answer = $2, record = $3 WHERE id = $1 AND state = 'pending' AND answer IS NULL`;

async function storePending(deps: GatewayDeps, call: PaidCall, whole: Whole & { ok: true }): Promise<boolean> {
  const record = JSON.stringify(toStoredRecord(deps, call, whole.evidence));
  const result = await deps.database.system.query(keepPending, [call.callId, JSON.stringify(whole.stored), record]);
  return result.rowCount === 1;
}
