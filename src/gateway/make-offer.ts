import { isPricedByInput, type PublishedVersion } from '#resources/index.ts';
import { refuseClosed, refuseUnready, toInputProblem } from './admit.ts';
import type { CallOutcome, CallRequest } from './call-request.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { judgeInput } from './judge-input.ts';
import { offerVersion } from './offer-version.ts';
import { readGivenInput, readInput } from './read-given-input.ts';

/** The answer to a request without payment. What would be refused with a payment is not offered without one. */
export async function makeOffer(
  deps: GatewayDeps,
  version: PublishedVersion,
  request: CallRequest,
): Promise<CallOutcome> {
  const asked = { version, request, payer: null };
  const closed = await refuseClosed(deps, asked);
  if (closed) {
    return { kind: 'problem', problem: closed };
  }
  const readiness = await deps.readiness.recall(version);
  if (!readiness.ready) {
    return { kind: 'problem', problem: await refuseUnready(deps, asked, readiness) };
  }
  if (version.batchOf) {
    return offerBatch(deps, version, request);
  }
  const input = isPricedByInput(version) ? readGivenInput(request, version) : undefined;
  return offerInput(deps, asked, input);
}

/** What many inputs cost follows from all of them, so they are there, and good, before a price is told. */
async function offerBatch(deps: GatewayDeps, version: PublishedVersion, request: CallRequest): Promise<CallOutcome> {
  if (!request.input.ok) {
    return { kind: 'problem', problem: request.input.problem };
  }
  const parsed = readInput(request.input, version);
  return parsed.ok
    ? offerInput(deps, { version, request, payer: null }, parsed.input)
    : { kind: 'problem', problem: toInputProblem(parsed.fields) };
}

async function offerInput(
  deps: GatewayDeps,
  asked: { version: PublishedVersion; request: CallRequest; payer: null },
  input: Record<string, unknown> | undefined,
): Promise<CallOutcome> {
  const { version } = asked;
  const judged = await judgeInput(deps, version, input);
  return judged.ready
    ? { kind: 'challenge', version, challenge: offerVersion(deps, version, input).challenge }
    : { kind: 'problem', problem: await refuseUnready(deps, asked, judged) };
}
