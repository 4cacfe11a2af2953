import { execute } from '#execution/index.ts';
import type { Outcome } from '#resources/index.ts';
import { recordCall } from '#usage/index.ts';
import type { CallOutcome } from './call-request.ts';
import { toCallRecord, toStoredRecord, type PaidCall } from './call-record.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { resourceUrl } from './offer-version.ts';
import { takenAway, toPublicProblem } from './public-problem.ts';
import { runLimitMs } from './run-limit.ts';
import { toStoredAnswer, type StoredAnswer } from './stored-answer.ts';
import { transition } from './transitions.ts';

/** Beyond the longest that settling takes: until then somebody is at it. */
const SETTLE_MARGIN_MS = 15_000;

type Ran = { ok: true; answer: StoredAnswer } | { ok: false; outcome: CallOutcome };

/** running -> settling with the answer stored, or running -> failed: not charged, and the payment can be used again. */
export async function runCall(deps: GatewayDeps, call: PaidCall, input: Record<string, unknown>): Promise<Ran> {
  const limitMs = runLimitMs(deps, call);
  const outcome = await execute(
    deps,
    { version: call.version, input },
    {
      callId: call.callId,
      payer: call.payment.payer,
      limitMs,
      isTest: false,
    },
  );
  const endedAt = deps.clock.now();
  if (!outcome.ok) {
    return failCall(deps, call, outcome);
  }
  const answer = toStoredAnswer(outcome);
  const record = toCallRecord(call, { status: 'success', evidence: outcome.evidence, endedAt });
  const isOurs = await transition(
    deps.database.system,
    { callId: call.callId, name: 'settle' },
    {
      answer,
      record: toStoredRecord(call, record, resourceUrl(deps.publicUrl, call.version)),
      deadlineInMs: deps.payments.settleLimitMs + SETTLE_MARGIN_MS,
    },
  );
  return isOurs ? { ok: true, answer } : { ok: false, outcome: takenAway() };
}

async function failCall(deps: GatewayDeps, call: PaidCall, outcome: Outcome & { ok: false }): Promise<Ran> {
  const record = toCallRecord(call, {
    status: 'failed',
    problem: outcome.problem,
    cause: outcome.cause,
    evidence: outcome.evidence,
    endedAt: deps.clock.now(),
  });
  await transition(deps.database.system, { callId: call.callId, name: 'fail' }, { reason: outcome.problem });
  await recordCall(deps.database.system, record);
  return { ok: false, outcome: { kind: 'problem', problem: toPublicProblem(outcome), charged: false } };
}
