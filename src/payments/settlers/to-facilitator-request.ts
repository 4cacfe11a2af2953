import type { Json } from '#kit/index.ts';
import { networks } from '../networks.ts';
import type { Offer } from '../offer.ts';
import type { Payment } from '../payment.ts';
import { normalizeSignature } from '../schemes/exact-eip3009.ts';
import { decodeBase64Json } from '../wire/base64-json.ts';
import { isRecord } from './json-rpc.ts';

/**
 * Body of `/verify` and `/settle`. The requirements are our own offer; of the buyer's header only the signed part goes
 * on, and in version 2 the echo of resource and extensions, from which facilitators fill their catalogues.
 */
export function toFacilitatorRequest(x402Version: 1 | 2, payment: Payment, offer: Offer): { [name: string]: unknown } {
  const payload = { signature: normalizeSignature(payment.signature), authorization: payment.authorization };
  const echo = decodeBase64Json(payment.raw);
  const { resource, extensions } = isRecord(echo) ? echo : {};
  const url = isRecord(resource) && typeof resource['url'] === 'string' ? resource['url'] : 'urn:x402:payment';
  if (x402Version === 1) {
    const network = networks[offer.network]?.v1Name ?? offer.network;
    return {
      x402Version,
      paymentPayload: { x402Version, scheme: offer.scheme, network, payload },
      paymentRequirements: {
        ...toShared(offer),
        network,
        maxAmountRequired: offer.amountAtomic.toString(),
        resource: url,
        description: '',
        mimeType: 'application/json',
      },
    };
  }
  const requirement = { ...toShared(offer), network: offer.network, amount: offer.amountAtomic.toString() };
  return {
    x402Version,
    paymentPayload: {
      x402Version,
      ...(isRecord(resource) ? { resource } : {}),
      accepted: requirement,
      payload,
      ...(isRecord(extensions) ? { extensions } : {}),
    },
    paymentRequirements: requirement,
  };
}

function toShared(offer: Offer): { [name: string]: Json } {
  const { scheme, asset, payTo, maxTimeoutSeconds, extra } = offer;
  return { scheme, asset, payTo, maxTimeoutSeconds, extra };
}
