import { newId, Problem, toNetwork, type Caller } from '#kit/index.ts';
import { withoutCode, type PublishedVersion } from '#resources/index.ts';
import { admit, refuseUnready } from './admit.ts';
import type { CallOutcome, CallRequest } from './call-request.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { holdUnderCaps, releaseUnderCaps } from './hold-spend.ts';
import { keepForRun } from './keep-inputs.ts';
import { runUnpaid, type UnpaidRun } from './run-unpaid.ts';

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
  const run = { callId: newId(), version, request, caller, startedAt: deps.clock.now() };
  if (!request.isOwnerTest) {
    await assertUnderCaps(deps, run);
  }
  return runUnpaid(deps, run, await keepFiles(deps, run, admission.input));
}

/** What was held for a call whose files cannot be used is free again: it is not run. */
async function keepFiles(
  deps: GatewayDeps,
  { callId, version, request }: UnpaidRun,
  input: Record<string, unknown>,
): Promise<Record<string, unknown>> {
  const { clientAddress } = request;
  return keepForRun(deps, { ...version, callId, clientAddress, input }).catch(async (error: unknown) => {
    await releaseUnderCaps(deps, callId);
    throw error;
  });
}

/** What is free costs its creator too; what they try themselves is counted, and readiness knows whether there is room. */
async function assertUnderCaps(deps: GatewayDeps, { callId, version, request }: UnpaidRun): Promise<void> {
  const full = await holdUnderCaps(deps, { callId, version, payer: null });
  if (full) {
    throw await refuseUnready(deps, { version, request, payer: null }, full);
  }
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
