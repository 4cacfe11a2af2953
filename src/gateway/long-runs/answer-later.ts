import { setTimeout as wait } from 'node:timers/promises';
import { Problem } from '#kit/index.ts';
import type { PublishedVersion } from '#resources/index.ts';
import { abandonCall } from '../abandon-call.ts';
import type { CallOutcome, CallRequest, LongSecrets } from '../call-request.ts';
import type { PaidCall } from '../call-record.ts';
import { endCall } from '../end-call.ts';
import type { GatewayDeps } from '../gateway-deps.ts';
import { holdInFlight } from '../hold-in-flight.ts';
import { resourceUrl } from '../offer-version.ts';
import { callbackSecretOf } from './callback-secret.ts';
import { isAnsweredLater } from './is-answered-later.ts';
import { rerunIfOwed } from './rerun-if-owed.ts';
import { insertLong, noteEnded, wantCallback } from './long-row.ts';
import { isOpen, readStatus } from './read-status.ts';
import { newStatusToken } from './status-token.ts';

interface Later {
  request: CallRequest;
  carry(call: PaidCall): Promise<CallOutcome>;
}

/** Our own header: where to tell that a call behind a 202 has ended. */
export const CALLBACK_HEADER = 'X-Farebox-Callback';

/** Throws `invalid_input` for a callback that would never be made. */
export function assertCallback(
  { callbacks }: Pick<GatewayDeps, 'callbacks'>,
  request: CallRequest,
  version: PublishedVersion,
): void {
  const url = request.later?.callbackUrl;
  if (url === undefined) {
    return;
  }
  if (!isAnsweredLater(request, version)) {
    throw new Problem('invalid_input', {
      detail: `${CALLBACK_HEADER} is for calls that are answered later.`,
      next: 'Send "Prefer: respond-async" with it, or leave it out.',
    });
  }
  try {
    callbacks.check(url);
  } catch (error) {
    throw error instanceof Problem
      ? new Problem(error.code, { detail: `${CALLBACK_HEADER}: ${error.message}`, next: error.next, cause: error })
      : error;
  }
}

/** Carries out a call that holds its payment. */
export function answerNowOrLater(deps: GatewayDeps, call: PaidCall, later: Later): Promise<CallOutcome> {
  return call.isLong
    ? answerLater(deps, call, later)
    : holdInFlight(deps, call.callId, endCall(deps, call, later.carry(call)));
}

/**
 * Carries a call out behind its 202, which goes out as soon as the call stands where any process can carry it on: admitted
 * to run with its input stored, or paid. What refuses it before that is answered as always, and so is an answer that comes
 * within the time that the buyer waits for it.
 */
async function answerLater(deps: GatewayDeps, call: PaidCall, later: Later): Promise<CallOutcome> {
  const { callId } = call;
  const { token: statusToken, digest: tokenDigest } = newStatusToken();
  const callbackUrl = later.request.later?.callbackUrl;
  const underWay = Promise.withResolvers<'under way'>();
  try {
    const resource = resourceUrl(deps.publicUrl, call.version);
    await insertLong(deps.database.system, call, { resource, tokenDigest });
  } catch (error) {
    return endCall(deps, call, abandonCall(deps, call, error));
  }
  const carrying = later.carry({ ...call, onUnderWay: () => underWay.resolve('under way') });
  const ended = holdInFlight(deps, callId, noteEnd(deps, callId, endCall(deps, call, carrying)));
  const first = await Promise.race([underWay.promise, ended]);
  const outcome = first === 'under way' ? await within(later.request.later?.waitMs ?? 0, ended) : first;
  if (outcome && !isStillComing(outcome)) {
    return outcome;
  }
  if (callbackUrl !== undefined) {
    await wantCallback(deps.database.system, callId, callbackUrl);
  }
  const secrets = {
    statusToken,
    ...(callbackUrl === undefined ? {} : { callbackSecret: callbackSecretOf(deps, callId) }),
  };
  const accepted = await toAccepted(deps, callId, secrets);
  const { answerToken } = call;
  return accepted && answerToken !== undefined ? { ...accepted, answerToken } : (accepted ?? ended);
}

/** The same payment again while its call is still carried out: null where it has ended. */
export async function findAccepted(
  deps: GatewayDeps,
  callId: string,
  input: PaidCall['input'] | undefined,
): Promise<CallOutcome | null> {
  const followed = await readStatus(deps, callId);
  if (!followed || !isOpen(followed.status)) {
    return null;
  }
  rerunIfOwed(deps, followed, input);
  return toAccepted(deps, callId);
}

async function toAccepted(
  deps: GatewayDeps,
  callId: string,
  secrets?: LongSecrets,
): Promise<(CallOutcome & { kind: 'accepted' }) | null> {
  const followed = await readStatus(deps, callId);
  if (!followed) {
    return null;
  }
  const { status, settlement } = followed;
  return { kind: 'accepted', status, ...(settlement ? { settlement } : {}), ...(secrets ? { secrets } : {}) };
}

async function within(limitMs: number, ended: Promise<CallOutcome>): Promise<CallOutcome | null> {
  return limitMs > 0 ? Promise.race([ended, wait(limitMs, null, { ref: false })]) : null;
}

/** The settlement that is not known yet, or the answer that is made again, is what the status tells of. */
function isStillComing(outcome: CallOutcome): boolean {
  return outcome.kind === 'problem' && ['settlement_pending', 'answer_owed'].includes(outcome.problem.code);
}

/** What the buyer would have read is kept for the status: a run asks the chain before it says that nothing was charged. */
export async function noteEnd(deps: GatewayDeps, callId: string, ending: Promise<CallOutcome>): Promise<CallOutcome> {
  const outcome = await ending;
  if (outcome.kind === 'problem') {
    const { problem, charged } = outcome;
    const { code, message: detail, next } = problem;
    const ended = { code, detail, next, ...(charged === undefined ? {} : { charged }) };
    await noteEnded(deps.database.system, callId, ended).catch((error: unknown) =>
      deps.log.error({ err: error, callId }, 'how a call ended could not be noted'),
    );
  }
  return outcome;
}
