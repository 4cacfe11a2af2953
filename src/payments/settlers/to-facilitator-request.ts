import { isObject, type Json } from '#kit/index.ts';
import type { Network } from '../network.ts';
import { toWireExtra, type Offer } from '../offer.ts';
import type { Payment } from '../payment.ts';
import type { Scheme } from '../schemes/scheme.ts';
import { decodeBase64Json } from '../wire/base64-json.ts';
import { withoutSecrets } from '../wire/buyer-secret.ts';

interface Facilitated {
  x402Version: 1 | 2;
  scheme: Scheme;
  network: Network;
}

/**
 * Body of `/verify` and `/settle`. The requirements are our own offer; of the buyer's header only the signed part goes
 * on, and in version 2 the echo of resource and extensions, from which facilitators fill their catalogues; what shows its
 * sender to be the buyer stays here.
 */
export function toFacilitatorRequest(to: Facilitated, payment: Payment, offer: Offer): { [name: string]: unknown } {
  const { x402Version, scheme } = to;
  const payload = scheme.toFacilitatorPayload(payment);
  const echo = decodeBase64Json(payment.raw);
  const { resource, extensions } = isObject(echo) ? echo : {};
  const url = isObject(resource) && typeof resource['url'] === 'string' ? resource['url'] : 'urn:x402:payment';
  if (x402Version === 1) {
    const network = to.network.v1Name ?? offer.network;
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
      ...(isObject(resource) ? { resource } : {}),
      accepted: requirement,
      payload,
      ...(isObject(extensions) ? { extensions: withoutSecrets(extensions) } : {}),
    },
    paymentRequirements: requirement,
  };
}

function toShared(offer: Offer): { [name: string]: Json } {
  const { scheme, asset, payTo, maxTimeoutSeconds } = offer;
  return { scheme, asset, payTo, maxTimeoutSeconds, extra: toWireExtra(offer) };
}
