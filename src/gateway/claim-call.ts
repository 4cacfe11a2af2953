import { newId, sha256Hex } from '#kit/index.ts';
import type { Offer, Payment } from '#payments/index.ts';
import type { PublishedVersion } from '#resources/index.ts';
import type { Again } from './answer-held.ts';
import { bindProofs, toShown } from './buyer-proof.ts';
import type { PaidCall } from './call-record.ts';
import type { CallRequest } from './call-request.ts';
import { claimPayment, type Claim } from './claim.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { isAnsweredLater } from './long-runs/is-answered-later.ts';
import { FETCH_LIMIT_MS, hasFiles } from './keep-inputs.ts';
import { originOf } from './offer-version.ts';
import { quoteWorst } from './quote-worst.ts';
import { recordRefused } from './record-refused.ts';
import { toClient } from './to-client.ts';

const CLAIM_DEADLINE_MS = 15_000;
const LIMITED = 'Too many payments of this wallet, or of new wallets from its network, were refused within a minute.';

/** A request with a payment that can be read. */
export interface Paying extends Again {
  request: CallRequest;
  version: PublishedVersion;
}

type Claimed = { kind: 'claimed'; call: PaidCall } | Exclude<Claim, { kind: 'claimed' }>;

/** Takes the payment for a new call, or tells which call holds it or that the payer has to wait. */
export async function claimCall(
  deps: GatewayDeps,
  { request, version, payment, fingerprint, shown }: Paying,
  { offer, input }: { offer: Offer; input: Record<string, unknown> },
): Promise<Claimed> {
  const { requestId, clientAddress, events, gone } = request;
  const { answerToken, proofs } = bindProofs(shown);
  const call: PaidCall = {
    callId: newId(),
    requestId,
    clientAddress,
    fingerprint,
    shown,
    version,
    payment,
    offer,
    ...originOf(deps, version, { offer, input }),
    input,
    run: 1,
    answerToken,
    // Nobody waits for it with an open connection.
    ...(isAnsweredLater(request, version) ? { isLong: true } : { events, gone }),
    startedAt: deps.clock.now(),
  };
  const claim = await claimPayment(deps, {
    ...call,
    ...version,
    processId: deps.processId,
    proofs,
    deadlineInMs: CLAIM_DEADLINE_MS + (hasFiles(version) ? FETCH_LIMIT_MS : 0),
    trustUsd: call.settlementPoint === 'upfront' ? null : await quoteWorst(deps, version, offer),
    client: toClient(clientAddress),
  });
  if (claim.kind === 'limited') {
    await recordRefused(deps, { request, version, payer: payment.payer }, { problem: 'rate_limited', cause: LIMITED });
  }
  return claim.kind === 'claimed' ? { kind: 'claimed', call } : claim;
}

export function toPaying(request: CallRequest, version: PublishedVersion, payment: Payment): Paying {
  const { events, gone } = request;
  const [fingerprint, shown] = [toFingerprint(request), toShown(request, payment)];
  return { request, version, payment, fingerprint, shown, events, gone };
}

/** What a payment is bound to (docs/decisions/0006). */
function toFingerprint(request: CallRequest): string {
  return sha256Hex([request.method, request.url, request.bodyDigest, request.idempotencyKey].join('\n'));
}
