import { awaitFirstOutput, collectParts, execute } from '#execution/index.ts';
import type { AnswerBody, Failure, Outcome, WholeBody } from '#resources/index.ts';
import { recordCall } from '#usage/index.ts';
import { askBeforeUncharged } from './ask-before-uncharged.ts';
import type { CallOutcome } from './call-request.ts';
import { toPaidRecord, toStoredRecord, type PaidCall } from './call-record.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { keepCheckpoint } from './keep-checkpoint.ts';
import { releaseRun } from './hold-run.ts';
import { openLongRun } from './long-runs/open-long-run.ts';
import { givenUp, toPublicProblem } from './public-problem.ts';
import { runLimitMs } from './run-limit.ts';
import { SETTLE_MARGIN_MS } from './settle-call.ts';
import { toStoredAnswer } from './stored-answer.ts';
import { moveToSettling, settlementPaths, transition } from './transitions.ts';

const BUYER_LEFT = 'buyer_left: The buyer left before the first output, so the run was cancelled.';

/** A usable answer, of which the rest may still be coming. */
export type Output<Body extends AnswerBody = AnswerBody> = Outcome<Body> & { ok: true };

type Ran<Body extends AnswerBody> =
  | { ok: true; output: Output<Body>; cancel(): void }
  | { ok: false; outcome: CallOutcome };

/** `on_success`. running -> settling with the whole answer stored, or -> failed: not charged, good to be used again. */
export async function runCall(deps: GatewayDeps, call: PaidCall): Promise<Ran<WholeBody>> {
  const { started, cancel } = startRun(deps, call, runLimitMs(deps, call));
  const output = await collectParts(await started);
  return output.ok ? keepOutput(deps, call, { output, cancel }) : failCall(deps, call, output);
}

/**
 * `at_first_output`. running -> settling while the first output is held, or -> failed. A buyer who leaves before that has
 * nothing to pay for, so the run is cancelled (docs/decisions/0030).
 */
export async function runToFirstOutput(deps: GatewayDeps, call: PaidCall): Promise<Ran<AnswerBody>> {
  const { started, cancel } = startRun(deps, call, runLimitMs(deps, call));
  const { gone } = call;
  gone?.addEventListener('abort', cancel);
  if (gone?.aborted) {
    cancel();
  }
  const output = await awaitFirstOutput(await started).finally(() => gone?.removeEventListener('abort', cancel));
  if (!output.ok && gone?.aborted) {
    return failCall(deps, call, { ...output, cause: BUYER_LEFT });
  }
  return output.ok ? keepOutput(deps, call, { output, cancel }) : failCall(deps, call, output);
}

/** The run itself, without a word to the database. */
export function startRun(deps: GatewayDeps, call: PaidCall, limitMs: number) {
  const { callId, version, payment, input } = call;
  const controller = new AbortController();
  const checkpoint = keepCheckpoint(deps.database, callId);
  const long = call.isLong ? openLongRun(deps, callId, controller) : {};
  const { signal } = controller;
  const inParts = call.settlementPoint === 'at_first_output';
  const context = { callId, payer: payment.payer, limitMs, isTest: false, inParts, signal, checkpoint, ...long };
  return { started: execute(deps, { version, input }, context), cancel: () => controller.abort() };
}

async function keepOutput<Body extends AnswerBody>(
  deps: GatewayDeps,
  call: PaidCall,
  ran: { output: Output<Body>; cancel(): void },
): Promise<Ran<Body>> {
  const { answer, evidence } = ran.output;
  const { body }: { body: AnswerBody } = answer;
  const noted = moveToSettling(deps.database.system, call, {
    record: toStoredRecord(deps, call, evidence),
    deadlineInMs: deps.payments.settleLimitMs + SETTLE_MARGIN_MS,
    ofProcess: deps.processId,
    ...(body.type === 'parts' ? {} : { answer: toStoredAnswer({ ...answer, body }, evidence) }),
    ...(settlementPaths[call.settlementPoint].storedBefore.includes('input') ? { input: call.input } : {}),
  });
  const isOurs = await noted.catch((error: unknown) => {
    ran.cancel();
    throw error;
  });
  if (isOurs) {
    return { ok: true, ...ran };
  }
  ran.cancel();
  return { ok: false, outcome: (await askBeforeUncharged(deps, call, { outcome: givenUp() })).outcome };
}

async function failCall(
  deps: GatewayDeps,
  call: PaidCall,
  failure: Failure,
): Promise<{ ok: false; outcome: CallOutcome }> {
  const outcome = { kind: 'problem' as const, problem: toPublicProblem(failure), charged: false };
  await releaseRun(deps, call);
  const asked = await askBeforeUncharged(deps, call, { outcome, failure });
  if (asked.isPaid) {
    return { ok: false, outcome: asked.outcome };
  }
  const record = toPaidRecord(call, {
    status: 'failed',
    problem: failure.problem,
    cause: failure.cause,
    evidence: failure.evidence,
    endedAt: deps.clock.now(),
  });
  const { problem: reason, evidence } = failure;
  const changes = { reason, costUsd: evidence.costUsd, ofProcess: deps.processId };
  await deps.database.transaction(async (tx) => {
    const isOurs = await transition(tx, { callId: call.callId, name: 'fail' }, changes);
    if (isOurs) {
      await recordCall(tx, record);
    }
  });
  return { ok: false, outcome: asked.outcome };
}
