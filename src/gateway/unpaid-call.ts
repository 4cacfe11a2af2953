import { newId, Problem, toNetwork, type Caller } from '#kit/index.ts';
import { collectParts, execute } from '#execution/index.ts';
import { withoutCode, type Failure, type Outcome, type PublishedVersion } from '#resources/index.ts';
import type { CallRecord } from '#usage/index.ts';
import { admit } from './admit.ts';
import { toCallRecord } from './call-record.ts';
import type { CallOutcome, CallRequest, Receipt } from './call-request.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { hasFiles, keepForRun } from './keep-inputs.ts';
import { resourceUrl } from './offer-version.ts';
import { withMedia } from './receipt-media.ts';
import { toPublicProblem } from './public-problem.ts';

interface Run {
  callId: string;
  version: PublishedVersion;
  request: CallRequest;
  caller: Caller;
  startedAt: number;
}

/** A call without a payment: a free resource, or the owner's test of any resource. Rate limited, logged, never counted as paid. */
export async function unpaidCall(
  deps: GatewayDeps,
  request: CallRequest,
  version: PublishedVersion,
): Promise<CallOutcome> {
  if (request.method === 'HEAD') {
    const detail = 'This resource is free, and a HEAD request has no room for its answer.';
    throw new Problem('method_not_allowed', { detail, headers: { Allow: 'GET, POST' } });
  }
  const caller = await request.authenticate();
  if (request.isOwnerTest) {
    assertOwner(caller, version);
  }
  if (!request.isOwnerTest) {
    await assertWithinLimit(deps, request, version);
  }
  const admission = await admit(deps, version, { request, payer: null });
  if (!admission.ok) {
    throw request.isOwnerTest && admission.cause !== undefined
      ? toOwnersRefusal(version, admission.cause)
      : admission.problem;
  }
  if (request.isOwnerTest) {
    await assertWithinLimit(deps, request, version);
  }
  const run: Run = { callId: newId(), version, request, caller, startedAt: deps.clock.now() };
  const { clientAddress } = request;
  const input = await keepForRun(deps, { ...version, callId: run.callId, clientAddress, input: admission.input });
  const { outcome, record } = await runOnce(deps, run, input).finally(() => {
    if (hasFiles(version)) {
      void deps.inputs.forget(run.callId);
    }
  });
  if (!outcome.ok) {
    return { kind: 'problem', problem: request.isOwnerTest ? toOwnerProblem(outcome) : toPublicProblem(outcome) };
  }
  const receipt: Receipt = {
    transaction: null,
    paidUsdc: '0',
    network: null,
    payer: null,
    resource: resourceUrl(deps.publicUrl, version),
    version: version.version,
    callId: run.callId,
    at: record.at.toISOString(),
  };
  const { isSimulated } = outcome.evidence;
  const answer = {
    ...outcome.answer,
    isSimulated,
    isTest: request.isOwnerTest,
    receipt: withMedia(receipt, outcome.answer.media),
  };
  return { kind: 'answer', answer, callId: run.callId, isPaid: false };
}

async function runOnce(deps: GatewayDeps, run: Run, input: Record<string, unknown>) {
  const { callId, version, request } = run;
  const limitMs = version.timeoutSeconds * 1000;
  const started = await execute(
    deps,
    { version, input },
    { callId, payer: null, limitMs, isTest: request.isOwnerTest },
  );
  const outcome = await collectParts(started);
  const record = toRecord(run, outcome, deps.clock.now());
  await deps.recordUnpaid(record);
  return { outcome, record };
}

function assertOwner(caller: Caller, version: PublishedVersion): void {
  if (caller.kind === 'anonymous') {
    throw new Problem('unauthenticated', {
      detail: 'X-Owner-Test runs a resource without payment for its owner: sign in, or send your API key.',
    });
  }
  if (caller.userId !== version.ownerId || !caller.scopes.includes('resources:write')) {
    throw new Problem('forbidden', {
      detail:
        'X-Owner-Test is for the owner of the resource, with the scope resources:write. Leave the header out to pay for the call.',
    });
  }
}

async function assertWithinLimit(deps: GatewayDeps, request: CallRequest, version: PublishedVersion): Promise<void> {
  const { isAllowed, retryAfterSeconds } = request.isOwnerTest
    ? await deps.ownerLimiter.take(version.ownerId)
    : await deps.limiter.take(`free:${version.resourceId}:${toNetwork(request.clientAddress)}`);
  if (!isAllowed) {
    throw new Problem('rate_limited', {
      detail: 'Calls that cost nothing are limited per minute.',
      headers: { 'Retry-After': String(retryAfterSeconds) },
    });
  }
}

/** The owner reads what stands in the way of every call, and what to do about it. */
function toOwnersRefusal({ state }: PublishedVersion, cause: string): Problem {
  return state === 'published'
    ? new Problem('unavailable', {
        detail: `Your resource cannot run: ${withoutCode(cause)}`,
        next: 'Do what the detail says, then test again.',
      })
    : new Problem('unavailable', {
        detail: `Your resource is ${state}, so buyers are turned away: ${withoutCode(cause)}`,
        next: 'Try its draft with POST /api/resources/{id}/test, and put it back on sale with POST /api/resources/{id}/resume.',
      });
}

/** The owner sees the cause: it is their key, their model and their prompt. */
function toOwnerProblem(outcome: Failure): Problem {
  return new Problem(outcome.problem, { detail: `Your resource failed: ${withoutCode(outcome.cause)}` });
}

function toRecord(run: Run, outcome: Outcome, endedAt: number): CallRecord {
  const { request, caller } = run;
  const { evidence } = outcome;
  return toCallRecord(
    {
      ...run,
      requestId: request.requestId,
      callerUserId: caller.kind === 'user' ? caller.userId : null,
      isTest: request.isOwnerTest,
    },
    outcome.ok
      ? { status: 'success', evidence, endedAt }
      : { status: 'failed', problem: outcome.problem, cause: outcome.cause, evidence, endedAt },
  );
}
