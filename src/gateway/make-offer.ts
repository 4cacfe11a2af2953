import type { PublishedVersion } from '#resources/index.ts';
import { refuseClosed, refuseUnready } from './admit.ts';
import type { CallOutcome, CallRequest } from './call-request.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { judgeInput } from './judge-input.ts';
import { offerVersion } from './offer-version.ts';
import { readGivenInput } from './read-given-input.ts';

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
  const input = version.priceFormula && readGivenInput(request, version);
  const judged = await judgeInput(deps, version, input);
  return judged.ready
    ? { kind: 'challenge', version, challenge: offerVersion(deps, version, input).challenge }
    : { kind: 'problem', problem: await refuseUnready(deps, asked, judged) };
}
