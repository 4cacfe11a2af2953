import { toResourceUrl } from '#kit/index.ts';
import { buildChallenge, buildOffer, type Challenge, type Offer } from '#payments/index.ts';
import { toInputExample, type PublishedVersion } from '#resources/index.ts';
import type { GatewayDeps } from './gateway-deps.ts';

interface Offered {
  challenge: Challenge;
  offers: Offer[];
}

/** A payment outlives the run by this much: to be settled, and to be sent once more after a run that failed. */
const SETTLE_SECONDS = 60;

const encoded = new WeakMap<PublishedVersion, Offered>();

/** The offers of a version and its 402, encoded once: versions are immutable and live in memory while they are current. */
export function offerVersion(deps: Pick<GatewayDeps, 'publicUrl'>, version: PublishedVersion): Offered {
  const known = encoded.get(version);
  if (known) {
    return known;
  }
  const offers = [toOffer(version)];
  const challenge = buildChallenge({
    offers,
    resource: {
      url: resourceUrl(deps.publicUrl, version),
      description: version.description,
      mimeType: 'application/json',
      serviceName: version.name,
      tags: version.tags,
    },
    method: 'POST',
    inputSchema: version.inputSchema,
    inputExample: toInputExample(version.parameters),
  });
  const offered = { challenge, offers };
  encoded.set(version, offered);
  return offered;
}

/** The 402 of a resource that is in memory, offered and not free; `null` sends the request the whole way. */
export function findChallenge(deps: GatewayDeps, creator: string, slug: string): Challenge | null {
  const version = deps.published.find(creator, slug);
  if (version === null || version instanceof Promise || version.state !== 'published' || version.priceAtomic === 0n) {
    return null;
  }
  return offerVersion(deps, version).challenge;
}

/** What may be paid now: the current offer, and those replaced so recently that a buyer may still hold their 402. */
export function payableOffers(deps: GatewayDeps, version: PublishedVersion): Offer[] {
  const now = deps.clock.now();
  const recent = version.superseded.filter((offer) => offer.until.getTime() > now && offer.priceAtomic > 0n);
  return [...offerVersion(deps, version).offers, ...recent.map(toOffer)];
}

export function resourceUrl(publicUrl: string, version: Pick<PublishedVersion, 'creator' | 'slug'>): string {
  return toResourceUrl(publicUrl, version.creator, version.slug);
}

function toOffer(version: Pick<PublishedVersion, 'network' | 'priceAtomic' | 'payTo' | 'timeoutSeconds'>): Offer {
  return buildOffer({
    network: version.network,
    amountAtomic: version.priceAtomic,
    payTo: version.payTo,
    maxTimeoutSeconds: 2 * version.timeoutSeconds + SETTLE_SECONDS,
  });
}
