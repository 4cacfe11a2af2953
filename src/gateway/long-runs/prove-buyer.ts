import { checkSignIn, declareSignIn, fromStoredPayment, SIGN_IN_WITH_X } from '#payments/index.ts';
import { Problem, type Json } from '#kit/index.ts';
import { toDigest } from '../buyer-proof.ts';
import type { GatewayDeps } from '../gateway-deps.ts';
import { takeLookUp } from '../take-look-up.ts';
import { findLong } from './long-row.ts';
import { digestOf } from './status-token.ts';

/** What a request about a call shows of itself, unread. */
export interface Proof {
  /** `Authorization: Bearer`. */
  statusToken: string | undefined;
  /** X-Farebox-Answer-Token. */
  answerToken: string | undefined;
  /** SIGN-IN-WITH-X. */
  signIn: string | undefined;
  clientAddress: string;
}

type ProofDeps = Pick<GatewayDeps, 'database' | 'payments' | 'publicUrl' | 'clock' | 'lookUps'>;

/**
 * Throws `unauthenticated` for whoever has not shown to be the buyer, in the same words whether there is such a call or
 * not.
 */
export async function assertBuyer(deps: ProofDeps, callId: string, proof: Proof): Promise<void> {
  const row = await findLong(deps.database.system, callId);
  const { statusToken, answerToken, signIn, clientAddress } = proof;
  if (row && statusToken !== undefined && digestOf(statusToken) === row.token_digest) {
    return;
  }
  if (row && answerToken !== undefined && row.buyer_proofs.includes(toDigest('answer-token', answerToken))) {
    return;
  }
  if (row && signIn !== undefined) {
    const payment = fromStoredPayment(row.payment);
    const terms = { ...toTerms(deps, callId), network: payment.network };
    const mayAskChain = async () => (await takeLookUp(deps, { clientAddress, payment })) === 0;
    if (await checkSignIn(deps.payments, signIn, { payment, terms, mayAskChain })) {
      return;
    }
  }
  throw unproven();
}

function unproven(): Problem {
  return new Problem('unauthenticated', {
    detail: 'How a call stands is told to its buyer alone, and this request does not show to come from one.',
    next: 'Send the status token of its 202 as "Authorization: Bearer …", the X-Farebox-Answer-Token of its 202, or SIGN-IN-WITH-X signed by the wallet that paid, for "sign-in-with-x" of `extensions`.',
  });
}

/** The extension that a wallet signs for; it tells no more than the URL does. */
export function declareStatusSignIn(deps: ProofDeps, callId: string): { [name: string]: Json } {
  const networks = [...deps.payments.chains.keys()];
  const declared = declareSignIn({ ...toTerms(deps, callId), network: networks[0] ?? '' });
  return {
    [SIGN_IN_WITH_X]: { ...declared, supportedChains: networks.map((chainId) => ({ chainId, type: 'eip191' })) },
  };
}

function toTerms(deps: Pick<ProofDeps, 'publicUrl' | 'clock'>, callId: string) {
  const url = `${deps.publicUrl}/api/calls/${callId}`;
  return { url, nonce: toDigest('status-sign-in', callId).slice(0, 32), nowMs: deps.clock.now() };
}
