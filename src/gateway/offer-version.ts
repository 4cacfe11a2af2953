import { isDeepStrictEqual } from 'node:util';
import { formatUsdc, toBatchUrl, toPinnedSlug, toResourceUrl } from '#kit/index.ts';
import {
  buildChallenge,
  buildOffer,
  type Challenge,
  type InputPrice,
  type Offer,
  type SchemeList,
} from '#payments/index.ts';
import {
  isPricedByInput,
  priceLowest,
  priceOffers,
  priceReplaced,
  toInputExample,
  type JsonObject,
  type PublishedVersion,
  type ResourceKind,
  type SettlementPoint,
} from '#resources/index.ts';
import { z } from 'zod';
import { batchOutput } from './batches/batch-answer.ts';
import type { GatewayDeps } from './gateway-deps.ts';

export interface OfferDeps {
  publicUrl: string;
  /** Absent `chains`: payments are taken on every network. */
  payments: SchemeList & { chains?: ReadonlyMap<string, unknown> };
  kinds: ReadonlyMap<string, ResourceKind>;
}

interface Offered {
  challenge: Challenge;
  offers: Offer[];
}

type Input = Readonly<Record<string, unknown>>;
type Replaced = PublishedVersion['superseded'][number];

/** A payment outlives the run by this much: to be settled, and to be sent once more after a run that failed. */
const SETTLE_SECONDS = 60;
/** What may take longer is paid before it runs, so its payment need not outlive it. */
const LONGEST_ON_TRUST_SECONDS = 600;

/** By the amounts that are asked; a version without a price formula has one. */
type Encoded = WeakMap<PublishedVersion, Map<string, Offered>>;

const encoded: Encoded = new WeakMap();
/** One request asks several times what its input costs, and a thousand of them take long to add up. */
const offeredFor = onceForEach<Offered>();
const replacedFor = onceForEach<Offer[]>();

function onceForEach<Made>(): (input: Input, of: object, make: () => Made) => Made {
  const made = new WeakMap<Input, WeakMap<object, Made>>();
  return (input, of, make) => {
    const ofInput = made.get(input) ?? new WeakMap<object, Made>();
    const known = ofInput.get(of) ?? make();
    made.set(input, ofInput.set(of, known));
    return known;
  };
}

/** Anybody can ask for any input of any version: of all versions together so many are kept, then none. */
const MAX_ENCODED_INPUTS = 500;
let encodedInputs: { size: number; offered: Encoded } = { size: 0, offered: new WeakMap() };

/**
 * The offers of a version for an input, and the 402 that asks for them; without an input, or one that cannot be read, at the
 * most that they can be. Encoded once: versions are immutable and live in memory while they are current.
 */
export function offerVersion(deps: OfferDeps, version: PublishedVersion, input?: Input): Offered {
  return isPricedByInput(version) && input !== undefined
    ? offeredFor(input, version, () =>
        offerPriced(deps, { version, priced: priceOffers(version, input), isExact: true }),
      )
    : offerPriced(deps, { version, priced: priceOffers(version, undefined), isExact: false });
}

function offerPriced(
  deps: OfferDeps,
  { version, priced, isExact }: { version: PublishedVersion; priced: PublishedVersion['offers']; isExact: boolean },
): Offered {
  const key = isExact ? priced.map(({ amountAtomic }) => amountAtomic).join(' ') : '';
  const known = (isExact ? encodedInputs.offered : encoded).get(version)?.get(key);
  if (known) {
    return known;
  }
  const offers = toOffers(deps, { ...version, offers: priced }).filter((offer) => isTaken(deps, offer));
  const offered = encode(deps, { version, offers, isExact });
  const kept = isExact ? roomForInput() : encoded;
  kept.set(version, (kept.get(version) ?? new Map<string, Offered>()).set(key, offered));
  return offered;
}

function roomForInput(): Encoded {
  const { size, offered } = encodedInputs;
  encodedInputs = size < MAX_ENCODED_INPUTS ? { size: size + 1, offered } : { size: 1, offered: new WeakMap() };
  return encodedInputs.offered;
}

interface ToEncode {
  version: PublishedVersion;
  offers: Offer[];
  isExact: boolean;
}

function encode(deps: OfferDeps, { version, offers, isExact }: ToEncode): Offered {
  const challenge = buildChallenge(deps.payments, {
    offers,
    resource: {
      url: resourceUrl(deps.publicUrl, version),
      description: version.description,
      mimeType: 'application/json',
      serviceName: version.name,
      tags: version.tags,
    },
    ...toInputPrice(version, isExact),
    inputSchema: version.inputSchema,
    inputExample: toExample(version),
    ...(version.batchOf ? batchOutput : toOutput(deps.kinds.get(version.kind), version.config)),
  });
  return { challenge, offers };
}

function toExample({ parameters, batchOf }: PublishedVersion): JsonObject {
  const one = toInputExample(parameters);
  return batchOf ? { inputs: [one] } : one;
}

function toInputPrice(version: PublishedVersion, isExact: boolean): { inputPrice?: InputPrice } {
  if (!isPricedByInput(version)) {
    return {};
  }
  const [least] = priceLowest(version, version.parameters);
  const fromUsdc = formatUsdc(least?.amountAtomic ?? 0n);
  return { inputPrice: { isExact, fromUsdc, toUsdc: formatUsdc(version.priceAtomic) } };
}

/** The 402 leaves out what of an answer would not fit into its header; the public view holds all of it. */
const MAX_TOLD_SCHEMA = 1_500;

/** Of one version, where its kind answers in several forms. */
function toOutput(
  kind: ResourceKind | undefined,
  config: unknown,
): { outputSchema: JsonObject; outputExample: JsonObject } {
  const { schema, example = {} } = kind?.answerOf?.(config) ?? {
    schema: kind?.answerSchema,
    example: kind?.answerExample,
  };
  const answer = schema ? z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' }) : {};
  const outputSchema = answer as JsonObject;
  const promised = kind?.outputOf?.(config) ?? null;
  if (promised === null) {
    return { outputSchema, outputExample: example };
  }
  const isTold = JSON.stringify(promised).length <= MAX_TOLD_SCHEMA;
  const properties = {
    ...(outputSchema['properties'] as JsonObject),
    output: isTold ? promised.schema : { type: 'object' },
  };
  const given = isTold && promised.example !== null ? { output: promised.example } : {};
  return { outputSchema: { ...outputSchema, properties }, outputExample: { ...example, ...given } };
}

/**
 * The 402 of a resource that is in memory, offered, able to run and not free; `null` sends the request the whole way. So do
 * prices that follow from the input, which is not read here.
 */
export function findChallenge(
  deps: GatewayDeps,
  { creator, slug, version: pin }: { creator: string; slug: string; version?: number },
): Challenge | null {
  const version = deps.published.find(creator, slug, pin);
  if (version === null || version instanceof Promise || version.state !== 'published' || version.priceAtomic === 0n) {
    return null;
  }
  if (version.priceFormula) {
    return null;
  }
  return deps.readiness.isKnownReady(version) ? offerVersion(deps, version).challenge : null;
}

/**
 * What may be paid now: the current offers, and those replaced so recently that a buyer may still hold their 402.
 * Old clients do not say whether they accept to be charged first; of two offers that suit them the milder one counts.
 */
export function payableOffers(
  deps: OfferDeps & Pick<GatewayDeps, 'clock'>,
  version: PublishedVersion,
  input?: Input,
): Offer[] {
  const now = deps.clock.now();
  const recent = version.superseded
    .filter(({ until }) => until.getTime() > now)
    .flatMap((replaced) => offersOfReplaced(deps, replaced, input))
    .filter((offer) => isTaken(deps, offer));
  const all = [...offerVersion(deps, version, input).offers, ...recent];
  return [...all.filter((offer) => !isUpfront(offer)), ...all.filter(isUpfront)];
}

/** Does any offer that may be paid now follow from the input? */
export function mayFollowFromInput(version: PublishedVersion): boolean {
  return [version, ...version.superseded].some(isPricedByInput);
}

function offersOfReplaced(deps: Pick<OfferDeps, 'payments'>, replaced: Replaced, input: Input | undefined): Offer[] {
  const make = () => toOffers(deps, { ...replaced, offers: priceReplaced(replaced, input) });
  return input === undefined ? make() : replacedFor(input, replaced, make);
}

/** The operator may have given up a network since; a payment there would be refused. */
function isTaken({ payments: { chains } }: Pick<OfferDeps, 'payments'>, { network }: Offer): boolean {
  return chains?.has(network) ?? true;
}

function isUpfront(offer: Offer): boolean {
  return offer.paymentFlow === 'upfront';
}

/** What the address of a version is made of. */
export type NamedVersion = Pick<PublishedVersion, 'creator' | 'slug' | 'version' | 'isPinned' | 'batchOf'>;

export function resourceUrl(publicUrl: string, { creator, slug, version, isPinned, batchOf }: NamedVersion): string {
  const url = toResourceUrl(publicUrl, creator, isPinned ? toPinnedSlug(slug, version) : slug);
  return batchOf ? toBatchUrl(url) : url;
}

function toOffers(
  deps: Pick<OfferDeps, 'payments'>,
  version: Pick<PublishedVersion, 'offers' | 'settlementPoint' | 'timeoutSeconds' | 'runsLong'>,
): Offer[] {
  const paymentFlow = version.settlementPoint === 'upfront' ? { paymentFlow: 'upfront' as const } : {};
  const runsLong = version.runsLong ? { runsLong: true as const } : {};
  const maxTimeoutSeconds = 2 * Math.min(version.timeoutSeconds, LONGEST_ON_TRUST_SECONDS) + SETTLE_SECONDS;
  const terms = { maxTimeoutSeconds, settlementPoint: version.settlementPoint, ...paymentFlow, ...runsLong };
  return version.offers.map((offer) => buildOffer(deps.payments, { ...offer, ...terms }));
}

interface Origin {
  /** When money moves for it. */
  settlementPoint: SettlementPoint;
  /** Nobody could read the offer before. */
  offeredAt: Date;
}

/** Of a payable offer, which may be one of a version that was replaced meanwhile. */
export function originOf(
  deps: OfferDeps,
  version: PublishedVersion,
  { offer, input }: { offer: Offer; input?: Input | undefined },
): Origin {
  const isIt = (known: Offer): boolean => known === offer || isDeepStrictEqual(known, offer);
  const isCurrent =
    offerVersion(deps, version, input).offers.some(isIt) ||
    // One whose network was given up since.
    toOffers(deps, { ...version, offers: priceOffers(version, input) }).some(isIt);
  const isMaker = (replaced: Replaced): boolean => offersOfReplaced(deps, replaced, input).some(isIt);
  const found = isCurrent ? version : version.superseded.find(isMaker);
  const maker = found ?? version;
  const known = found ? found.settlementPoint : 'on_success';
  return { settlementPoint: isUpfront(offer) ? 'upfront' : known, offeredAt: maker.publishedAt };
}
