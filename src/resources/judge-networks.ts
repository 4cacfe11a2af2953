import type { PublishedVersion, Readiness, VersionOffer } from './resource-kind.ts';

/**
 * Is there a network left on which a call can be paid? What is free needs none. The operator chooses the networks, so one may
 * go after something was published on it.
 */
export function judgeNetworks(
  { offers }: Pick<PublishedVersion, 'offers'>,
  isPayable: (offer: VersionOffer) => boolean,
): Readiness {
  if (offers.length === 0 || offers.some(isPayable)) {
    return { ready: true };
  }
  const networks = [...new Set(offers.map(({ network }) => network))].join(', ');
  return {
    ready: false,
    cause: `network_gone: Payments on ${networks} are not taken here any more. Offer it on another network (PATCH /api/resources/{id} {"network": …}) and publish anew. It is sold again by itself when they are.`,
  };
}
