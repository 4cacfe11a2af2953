import { Problem, type Caller } from '#kit/index.ts';
import { awaitFirstOutput, collectParts, execute } from '#execution/index.ts';
import {
  noEvidence,
  withoutCode,
  type AnswerPart,
  type Evidence,
  type Failure,
  type MediaReference,
  type PartsEnd,
  type PublishedVersion,
} from '#resources/index.ts';
import type { CallRecord } from '#usage/index.ts';
import { toCallRecord } from './call-record.ts';
import type { CallOutcome, CallRequest, GivenAnswer, LiveBody, PlacedPart, Receipt } from './call-request.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { hasFiles } from './keep-inputs.ts';
import { resourceUrl } from './offer-version.ts';
import { countPlaces, toBegin, toDone } from './place-parts.ts';
import { toPublicProblem } from './public-problem.ts';
import { withMedia } from './receipt-media.ts';
import { longestRunMs, testLimitMs } from './run-limit.ts';

export interface UnpaidRun {
  callId: string;
  version: PublishedVersion;
  request: CallRequest;
  caller: Caller;
  startedAt: number;
}

/**
 * Runs a call that nobody pays once and logs it. Whoever wants events gets them while they come: nothing of it is kept, it is
 * made as fast as it is read, and a client who leaves ends it.
 */
export async function runUnpaid(
  deps: GatewayDeps,
  run: UnpaidRun,
  input: Record<string, unknown>,
): Promise<CallOutcome> {
  const { callId, version, request } = run;
  const { isOwnerTest: isTest, events, gone } = request;
  const limitMs = isTest ? testLimitMs(version) : longestRunMs({ version });
  const inParts = events !== undefined;
  const context = { callId, payer: null, limitMs, isTest, inParts, ...(gone ? { signal: gone } : {}) };
  const started = await execute(deps, { version, input }, context);
  const begun = inParts ? await awaitFirstOutput(started) : started;
  if (inParts && begun.ok && begun.answer.body.type === 'parts') {
    if (gone?.aborted) {
      // Nobody would read it to its end, which is where it is closed.
      return giveUp(deps, run, begun.answer.body.parts);
    }
    const body: LiveBody = { type: 'live', parts: giveLive(deps, run, begun.answer.body.parts) };
    return toAnswer(deps, run, { answer: { ...begun.answer, body }, evidence: begun.evidence });
  }
  const outcome = await collectParts(begun);
  await close(deps, run, outcome);
  return outcome.ok ? toAnswer(deps, run, outcome) : { kind: 'problem', problem: toProblem(run, outcome) };
}

async function giveUp(
  deps: GatewayDeps,
  run: UnpaidRun,
  parts: AsyncGenerator<AnswerPart, PartsEnd>,
): Promise<CallOutcome> {
  const end = { ...LEFT, evidence: noEvidence };
  await parts.return(end);
  await close(deps, run, end);
  return { kind: 'problem', problem: toProblem(run, end) };
}

async function* giveLive(
  deps: GatewayDeps,
  run: UnpaidRun,
  parts: AsyncGenerator<AnswerPart, PartsEnd>,
): AsyncGenerator<PlacedPart> {
  let end: PartsEnd = { ...LEFT, evidence: noEvidence };
  const media: MediaReference[] = [];
  let position = 0;
  try {
    yield toBegin(1);
    for (let next = await parts.next(); ; next = await parts.next()) {
      if (next.done) {
        end = next.value;
        break;
      }
      position += countPlaces(next.value);
      if (next.value.type === 'media') {
        media.push(next.value.media);
      }
      yield { run: 1, position, part: next.value };
    }
  } finally {
    await parts.return(end);
    await close(deps, run, end);
  }
  yield end.ok
    ? toDone({ run: 1, position }, { type: 'done', json: end.json ?? {}, media })
    : { run: 1, position, part: { type: 'error', problem: toProblem(run, end) } };
}

const LEFT = {
  ok: false,
  problem: 'unavailable',
  cause: 'caller_left: The call was broken off before the answer was complete.',
} as const;

/** The call is over: it is logged, and its files are needed no more. */
async function close(
  deps: GatewayDeps,
  run: UnpaidRun,
  end: Failure | { ok: true; evidence: Evidence },
): Promise<void> {
  if (hasFiles(run.version)) {
    void deps.inputs.forget(run.callId);
  }
  await deps.recordUnpaid(toRecord(run, end, deps.clock.now()));
}

function toAnswer(
  deps: GatewayDeps,
  { callId, version, request }: UnpaidRun,
  { answer, evidence }: { answer: Omit<GivenAnswer, 'isSimulated' | 'isTest' | 'receipt'>; evidence: Evidence },
): CallOutcome {
  const receipt: Receipt = {
    transaction: null,
    paidUsdc: '0',
    network: null,
    payer: null,
    resource: resourceUrl(deps.publicUrl, version),
    version: version.version,
    callId,
    at: new Date(deps.clock.now()).toISOString(),
  };
  const given = {
    ...answer,
    isSimulated: evidence.isSimulated,
    isTest: request.isOwnerTest,
    receipt: withMedia(receipt, answer.media),
  };
  return { kind: 'answer', answer: given, callId, isPaid: false };
}

/** The owner sees the cause: it is their key, their model and their prompt. */
function toProblem({ request }: UnpaidRun, failure: Failure): Problem {
  return request.isOwnerTest
    ? new Problem(failure.problem, { detail: `Your resource failed: ${withoutCode(failure.cause)}` })
    : toPublicProblem(failure);
}

function toRecord(run: UnpaidRun, end: Failure | { ok: true; evidence: Evidence }, endedAt: number): CallRecord {
  const { request, caller } = run;
  const { evidence } = end;
  return toCallRecord(
    {
      ...run,
      requestId: request.requestId,
      callerUserId: caller.kind === 'user' ? caller.userId : null,
      isTest: request.isOwnerTest,
    },
    end.ok
      ? { status: 'success', evidence, endedAt }
      : { status: 'failed', problem: end.problem, cause: end.cause, evidence, endedAt },
  );
}
