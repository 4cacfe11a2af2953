import { toChecksumAddress } from '#kit/index.ts';
import type { Accepted } from '../../payment.ts';
import type { Offer } from '../../offer.ts';
import { eip155Networks } from '../../networks.ts';
import { eip155, type Eip155Chain } from '../../settlers/eip155/chain.ts';
import type { OfferParts, Scheme } from '../scheme.ts';
import { encodeTransfer } from './call-data.ts';
import { isSignedByPayer, normalizeSignature, toDigest, toDomain } from './eip3009.ts';
import { gas } from './gas.ts';
import { isSignedText } from './is-signed-text.ts';
import { listTransfers } from './list-transfers.ts';
import { isUsed, lookUp } from './look-up.ts';
import { decodePayload, payloadOf } from './payload.ts';
import { reasonsByRole } from './reasons.ts';
import { simulate } from './simulate.ts';
import { isTransferOf, readTransfers } from './transfers.ts';
import { verify } from './verify.ts';

/**
 * `exact` on EVM: a fixed price, paid by an EIP-3009 authorisation that names payee and amount, so that whoever sends it
 * can move the money in this one way only.
 */
export const exactEip155: Scheme<Eip155Chain> = {
  name: 'exact',
  family: eip155,
  reasons: reasonsByRole,
  offer: toOfferParts,
  decode: decodePayload,
  accepts,
  isMeantFor: (payment, offer) =>
    payment.maxAmountAtomic === offer.amountAtomic && payloadOf(payment).authorization.to === offer.payTo.toLowerCase(),
  isAuthentic: (payment, offer) => isSignedByPayer(payment, toDigest(payment, offer)),
  isSignedText,
  verify,
  exposure: (_payment, offer) => offer.amountAtomic,
  settleCall: (payment, offer) => ({ to: offer.asset, data: encodeTransfer(payment), gas }),
  simulate,
  toFacilitatorPayload: (payment) => {
    const { signature, authorization } = payloadOf(payment);
    return { signature: normalizeSignature(signature), authorization };
  },
  isUsed,
  lookUp,
  isTransferOf,
  readTransfers,
  listTransfers,
};

function toOfferParts(network: string, payTo: string): OfferParts {
  const known = eip155Networks[network];
  if (!known) {
    throw new Error(`"${network}" is not a known EVM network.`);
  }
  const { address, name, version } = known.asset;
  return { asset: address, payTo: toChecksumAddress(payTo), extra: { name, version } };
}

function accepts(accepted: Accepted, offer: Offer): boolean {
  const { name, version } = toDomain(offer);
  return (
    isSameAddress(accepted.asset, offer.asset) &&
    isSameAddress(accepted.payTo, offer.payTo) &&
    accepted.extra?.['name'] === name &&
    accepted.extra['version'] === version
  );
}

function isSameAddress(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
