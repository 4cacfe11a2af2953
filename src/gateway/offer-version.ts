import { isDeepStrictEqual } from 'node:util';
import { toResourceUrl } from '#kit/index.ts';
import { buildChallenge, buildOffer, type Challenge, type Offer, type SchemeList } from '#payments/index.ts';
import {
  toInputExample,
  type JsonObject,
  type PublishedVersion,
  type ResourceKind,
  type SettlementPoint,
} from '#resources/index.ts';
import { z } from 'zod';
import type { GatewayDeps } from './gateway-deps.ts';

export interface OfferDeps {
  publicUrl: string;
  payments: SchemeList;
  kinds: ReadonlyMap<string, ResourceKind>;
}

interface Offered {
  challenge: Challenge;
  offers: Offer[];
}

/** A payment outlives the run by this much: to be settled, and to be sent once more after a run that failed. */
const SETTLE_SECONDS = 60;

const encoded = new WeakMap<PublishedVersion, Offered>();

/** The offers of a version and its 402, encoded once: versions are immutable and live in memory while they are current. */
export function offerVersion(deps: OfferDeps, version: PublishedVersion): Offered {
  const known = encoded.get(version);
  if (known) {
    return known;
  }
  const offers = toOffers(deps, version);
  const challenge = buildChallenge(deps.payments, {
    offers,
    resource: {
      url: resourceUrl(deps.publicUrl, version),
      description: version.description,
      mimeType: 'application/json',
      serviceName: version.name,
      tags: version.tags,
    },
    inputSchema: version.inputSchema,
    inputExample: toInputExample(version.parameters),
    ...toOutput(deps.kinds.get(version.kind), version),
  });
  const offered = { challenge, offers };
  encoded.set(version, offered);
  return offered;
}

/** Of this version, where its kind answers in several forms. */
function toOutput(
  kind: ResourceKind | undefined,
  { config }: PublishedVersion,
): { outputSchema: JsonObject; outputExample: JsonObject } {
  const { schema, example } = kind?.answerOf?.(config) ?? { schema: kind?.answerSchema, example: kind?.answerExample };
  const outputSchema = schema ? z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' }) : {};
  return { outputSchema, outputExample: example ?? {} };
}

/** The 402 of a resource that is in memory, offered, able to run and not free; `null` sends the request the whole way. */
export function findChallenge(deps: GatewayDeps, creator: string, slug: string): Challenge | null {
  const version = deps.published.find(creator, slug);
  if (version === null || version instanceof Promise || version.state !== 'published' || version.priceAtomic === 0n) {
    return null;
  }
  return deps.readiness.isKnownReady(version) ? offerVersion(deps, version).challenge : null;
}

/**
 * What may be paid now: the current offers, and those replaced so recently that a buyer may still hold their 402.
 * Old clients do not say whether they accept to be charged first; of two offers that suit them the milder one counts.
 */
export function payableOffers(deps: OfferDeps & Pick<GatewayDeps, 'clock'>, version: PublishedVersion): Offer[] {
  const now = deps.clock.now();
  const recent = version.superseded
    .filter(({ until }) => until.getTime() > now)
    .flatMap((replaced) => toOffers(deps, replaced));
  const all = [...offerVersion(deps, version).offers, ...recent];
  return [...all.filter((offer) => !isUpfront(offer)), ...all.filter(isUpfront)];
}

function isUpfront(offer: Offer): boolean {
  return offer.paymentFlow === 'upfront';
}

export function resourceUrl(publicUrl: string, version: Pick<PublishedVersion, 'creator' | 'slug'>): string {
  return toResourceUrl(publicUrl, version.creator, version.slug);
}

function toOffers(
  deps: Pick<OfferDeps, 'payments'>,
  version: Pick<PublishedVersion, 'offers' | 'settlementPoint' | 'timeoutSeconds'>,
): Offer[] {
  const paymentFlow = version.settlementPoint === 'upfront' ? { paymentFlow: 'upfront' as const } : {};
  const maxTimeoutSeconds = 2 * version.timeoutSeconds + SETTLE_SECONDS;
  return version.offers.map((offer) => buildOffer(deps.payments, { ...offer, maxTimeoutSeconds, ...paymentFlow }));
}

interface Origin {
  /** When money moves for it. */
  settlementPoint: SettlementPoint;
  /** Nobody could read the offer before. */
  offeredAt: Date;
}

/** Of a payable offer, which may be one of a version that was replaced meanwhile. */
export function originOf(deps: OfferDeps, version: PublishedVersion, offer: Offer): Origin {
  const isCurrent = offerVersion(deps, version).offers.some(
    (known) => known === offer || isDeepStrictEqual(known, offer),
  );
  const made = version.superseded.find((replaced) =>
    toOffers(deps, replaced).some((known) => isDeepStrictEqual(known, offer)),
  );
  const maker = isCurrent || !made ? version : made;
  const known = isCurrent || made ? maker.settlementPoint : 'on_success';
  return { settlementPoint: isUpfront(offer) ? 'upfront' : known, offeredAt: maker.publishedAt };
}
