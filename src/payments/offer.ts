import { Problem, toChecksumAddress } from '#kit/index.ts';
import { networks, type Network } from './networks.ts';
import type { Payment } from './payment.ts';

/** One way to pay: scheme x network x asset x amount x payTo. */
export interface Offer {
  scheme: 'exact';
  network: string;
  asset: string;
  amountAtomic: bigint;
  payTo: string;
  maxTimeoutSeconds: number;
  /** EIP-712 domain of the token; `paymentFlow` where the money moves before anything runs. */
  extra: { name: string; version: string; paymentFlow?: 'upfront' };
}

interface OfferInput {
  network: string;
  amountAtomic: bigint;
  payTo: string;
  maxTimeoutSeconds: number;
  /** x402 version 2: tells clients that the payment is settled first. Absent: last. */
  paymentFlow?: 'upfront' | undefined;
}

export function buildOffer(input: OfferInput): Offer {
  const network = getNetwork(input.network);
  return {
    scheme: 'exact',
    network: network.caip2,
    asset: network.asset.address,
    amountAtomic: input.amountAtomic,
    payTo: toChecksumAddress(input.payTo),
    maxTimeoutSeconds: input.maxTimeoutSeconds,
    extra: {
      name: network.asset.name,
      version: network.asset.version,
      ...(input.paymentFlow ? { paymentFlow: input.paymentFlow } : {}),
    },
  };
}

export function getNetwork(caip2: string): Network {
  const network = networks[caip2];
  if (!network) {
    throw new Problem('invalid_input', {
      detail: `"${caip2.slice(0, 40)}" is not a network that payments are taken on. Known: ${Object.keys(networks).join(', ')}.`,
    });
  }
  return network;
}

/**
 * The offer of ours that the payment is for. Version 2 names it field by field; version 1 names only scheme and
 * network, so the one whose amount and payee were signed is taken, or else the first of that network, which
 * verification then refuses with the exact reason.
 */
export function matchOffer(payment: Payment, offers: readonly Offer[]): Offer | null {
  const candidates = offers.filter(
    (offer) => offer.scheme === payment.scheme && offer.network === payment.network && matchesAccepted(payment, offer),
  );
  return candidates.find((offer) => matchesSigned(payment, offer)) ?? candidates[0] ?? null;
}

function matchesAccepted(payment: Payment, offer: Offer): boolean {
  const { accepted } = payment;
  if (payment.x402Version === 1) {
    return true;
  }
  return (
    accepted !== undefined &&
    accepted.scheme === offer.scheme &&
    accepted.network === offer.network &&
    accepted.amount === offer.amountAtomic.toString() &&
    isSameAddress(accepted.asset, offer.asset) &&
    isSameAddress(accepted.payTo, offer.payTo) &&
    accepted.maxTimeoutSeconds === offer.maxTimeoutSeconds &&
    accepted.extra?.['name'] === offer.extra.name &&
    accepted.extra['version'] === offer.extra.version &&
    acceptsFlow(accepted.extra['paymentFlow'], offer)
  );
}

/** Clients that know of flows echo ours; older ones say nothing, and mean any. */
function acceptsFlow(flow: unknown, offer: Offer): boolean {
  return flow === undefined || flow === (offer.extra.paymentFlow ?? 'authorization');
}

function matchesSigned(payment: Payment, offer: Offer): boolean {
  return (
    payment.authorization.value === offer.amountAtomic.toString() &&
    isSameAddress(payment.authorization.to, offer.payTo)
  );
}

export function isSameAddress(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
