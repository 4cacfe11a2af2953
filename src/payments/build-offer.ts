import { Problem } from '#kit/index.ts';
import { findScheme, listNetworks, type SchemeList } from './find-scheme.ts';
import { toManner, type Manner, type Offer } from './offer.ts';

interface OfferInput extends Manner {
  scheme: string;
  network: string;
  amountAtomic: bigint;
  payTo: string;
  maxTimeoutSeconds: number;
}

/** Throws `invalid_input` for a network that no scheme is listed for. */
export function buildOffer(list: SchemeList, input: OfferInput): Offer {
  const { scheme: name, network, amountAtomic, maxTimeoutSeconds } = input;
  const scheme = findScheme(list, input);
  if (!scheme || !Object.hasOwn(scheme.family.networks, network)) {
    const known = listNetworks(list).join(', ');
    throw new Problem('invalid_input', {
      detail: `"${network.slice(0, 40)}" is not a network that payments are taken on. Known: ${known}.`,
    });
  }
  const { asset, payTo, extra } = scheme.offer(network, input.payTo);
  return { scheme: name, network, asset, amountAtomic, payTo, maxTimeoutSeconds, extra, ...toManner(input) };
}
