import { sha256Hex } from '#kit/index.ts';
import { checkSignIn, declareSignIn, newSecret, SIGN_IN_WITH_X, type Payment } from '#payments/index.ts';
import type { PublishedVersion } from '#resources/index.ts';
import type { CallRequest, ProofAsked } from './call-request.ts';
import type { HeldCall } from './claim.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { isUnguessable } from './is-unguessable.ts';
import { resourceUrl } from './offer-version.ts';
import { takeLookUp } from './take-look-up.ts';
import type { State } from './transitions.ts';

/**
 * Until a payment is sent to the chain its header is a secret; from then on anybody can rebuild it. A kept answer is given
 * to whoever shows more (docs/decisions/0024).
 */
export interface Shown {
  /** Digests of what the sender chose or was told before it paid; the first request binds them to its call. */
  secrets: readonly string[];
  /** Digest of the token of a first answer. */
  token: string | null;
  /** SIGN-IN-WITH-X, unread. */
  signIn: string | undefined;
  clientAddress: string;
}

interface Asking {
  payment: Payment;
  shown: Shown;
  fingerprint: string;
  version: Pick<PublishedVersion, 'creator' | 'slug' | 'version' | 'isPinned'>;
}

type ProofDeps = Pick<GatewayDeps, 'payments' | 'publicUrl' | 'clock' | 'database' | 'lookUps'>;

/** States in which a payment has not been sent to the chain by us. */
const unsent: ReadonlySet<State> = new Set(['claimed', 'running', 'refused', 'failed']);

export function toShown(request: CallRequest, payment: Payment): Shown {
  const { buyerSecret, paymentId } = payment.echoed ?? {};
  const chosen = [
    ['idempotency-key', request.idempotencyKey],
    ['payment-identifier', paymentId],
  ] as const;
  const bound = chosen.filter(([, text]) => text !== undefined && isUnguessable(text, request.bodyDigest));
  const secrets = [...bound, ['buyer-secret', buyerSecret] as const];
  const { answerToken, signIn, clientAddress } = request;
  return {
    secrets: secrets.flatMap(([name, text]) => (text === undefined ? [] : [toDigest(name, text)])),
    token: answerToken === undefined ? null : toDigest('answer-token', answerToken),
    signIn,
    clientAddress,
  };
}

/** A secret for the first answer of a call, and all digests that are kept with its claim. */
export function bindProofs({ secrets }: Shown): { answerToken: string; proofs: string[] } {
  const answerToken = newSecret();
  return { answerToken, proofs: [...secrets, toDigest('answer-token', answerToken)] };
}

/**
 * Whether a request with the payment of this call comes from its buyer, by the state that it met. A payment that was not
 * sent to the chain yet is a secret itself; others may have sent it, so that counts only where the buyer has bound no secret.
 */
export async function isBuyer(deps: ProofDeps, held: HeldCall, asking: Asking): Promise<boolean> {
  const hasSecrets = held.buyer_proofs.length > 1;
  if (unsent.has(held.state) && !hasSecrets && held.fingerprint === asking.fingerprint) {
    return true;
  }
  const { secrets, token, signIn } = asking.shown;
  if ([...secrets, token].some((digest) => digest !== null && held.buyer_proofs.includes(digest))) {
    return true;
  }
  if (signIn === undefined) {
    return false;
  }
  const { payment, shown } = asking;
  const mayAskChain = async () => (await takeLookUp(deps, { clientAddress: shown.clientAddress, payment })) === 0;
  return checkSignIn(deps.payments, signIn, { payment, terms: toSignInTerms(deps, held, asking), mayAskChain });
}

/** What a request that has shown nothing is told to show. */
export function askForProof(
  deps: ProofDeps,
  held: HeldCall,
  { asking, transaction }: { asking: Asking; transaction: string | null },
): ProofAsked {
  return {
    transaction,
    prove: [
      'Send the PAYMENT-SIGNATURE header exactly as the first time: it holds the "buyer-secret" of its 402.',
      'Or send the same payment with the Idempotency-Key or payment-identifier of the first request, if that was random.',
      'Or send the same payment with the X-Farebox-Answer-Token of its first answer.',
      'Or sign "sign-in-with-x" of `extensions` with the wallet that paid, and send the same payment with SIGN-IN-WITH-X.',
    ],
    extensions: { [SIGN_IN_WITH_X]: declareSignIn(toSignInTerms(deps, held, asking)) },
  };
}

/** Nothing is stored for it: the call itself names the nonce, and the time is in the message. */
function toSignInTerms(deps: ProofDeps, held: HeldCall, { payment, version }: Asking) {
  const url = resourceUrl(deps.publicUrl, version);
  return { url, network: payment.network, nonce: toDigest('sign-in', held.id).slice(0, 32), nowMs: deps.clock.now() };
}

export function toDigest(name: string, secret: string): string {
  return sha256Hex(`${name}:${secret}`);
}
