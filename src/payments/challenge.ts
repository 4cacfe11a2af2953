import type { Json } from '#kit/index.ts';
import { findNetwork, type SchemeList } from './find-scheme.ts';
import { toWireExtra, type Offer } from './offer.ts';
import { BUYER_SECRET, declareSecret, newSecret, SECRET_PLACEHOLDER } from './wire/buyer-secret.ts';
import { details, toBazaar, toOutputSchemaV1, type BazaarInput, type Detail, type Method } from './wire/to-bazaar.ts';

/**
 * A client echoes what it was offered and adds about 1 KB, and its header may have 8 KB; reverse proxies commonly
 * allow all response headers together 8 KB, some 4.
 */
const MAX_HEADER_CHARACTERS = 6144;
/** In code points: facilitators refuse resources with a longer one (x402-foundation/x402#2993). */
const LONGEST_DESCRIPTION = 500;
const SHORT_DESCRIPTION = 200;
const PRINTABLE_ASCII = /^[\x20-\x7e]{1,32}$/;

interface ResourceInfo {
  url: string;
  description: string;
  mimeType: string;
  serviceName?: string | undefined;
  tags?: readonly string[] | undefined;
}

/** What an offer asks where the price follows from the input, in USDC. */
export interface InputPrice {
  /** Of the input that came with the request; otherwise the amounts are the most that any input costs. */
  isExact: boolean;
  fromUsdc: string;
  toUsdc: string;
}

export interface ChallengeInput extends BazaarInput {
  offers: readonly Offer[];
  /** Absent: the price is fixed. */
  inputPrice?: InputPrice;
  resource: ResourceInfo;
}

/** What is asked for a resource; its 402 is encoded once per offer version and method, all but a secret of each 402. */
export interface Challenge {
  readonly get: EncodedChallenge;
  readonly post: EncodedChallenge;
}

interface EncodedChallenge {
  /** Version 1, as JSON. Shared between answers: never changed. */
  readonly body: Buffer;
  /** Version 2, as it stands in the PAYMENT-REQUIRED header, before and behind the secret. */
  readonly header: { readonly head: string; readonly tail: string };
  readonly paymentRequired: PaymentRequired;
  readonly paymentRequiredV1: PaymentRequiredV1;
}

/** One 402 as it leaves. */
export interface ChallengeAnswer {
  headers: Record<string, string>;
  body: Buffer;
}

export interface PaymentRequired {
  x402Version: 2;
  error: string;
  resource: { [name: string]: Json };
  accepts: Requirement[];
  extensions?: { [name: string]: Json };
}

export interface PaymentRequiredV1 {
  x402Version: 1;
  error: string;
  accepts: { [name: string]: Json }[];
}

interface Requirement {
  scheme: string;
  network: string;
  amount: string;
  asset: string;
  payTo: string;
  maxTimeoutSeconds: number;
  extra: { [name: string]: Json };
}

const NOT_PAID = 'Payment required';

export function buildChallenge(list: SchemeList, input: ChallengeInput): Challenge {
  return { get: buildFor(list, input, 'GET'), post: buildFor(list, input, 'POST') };
}

/**
 * The 402 to a request of this method: version 2 in the header, version 1 in the body. Each holds a secret of its own, which
 * clients send back with the payment. `reason` says why the payment that came with the request was not taken; `detail`
 * stands in the body.
 */
export function toChallengeAnswer(
  challenge: Challenge,
  { method, ...refused }: { method: string; reason?: string | undefined; detail?: string | undefined },
): ChallengeAnswer {
  const ready = method === 'GET' || method === 'HEAD' ? challenge.get : challenge.post;
  const { header, body } = withReason(ready, refused);
  return {
    headers: {
      'PAYMENT-REQUIRED': header.head + Buffer.from(newSecret()).toString('base64') + header.tail,
      'Content-Type': 'application/json',
      'Content-Length': String(body.length),
      'Cache-Control': 'no-store',
    },
    body,
  };
}

/**
 * Where the input schema makes the header too long it is told with less detail, in the order of `details`; at last the
 * description is cut and the discovery extension left out.
 */
function buildFor(list: SchemeList, input: ChallengeInput, method: Method): EncodedChallenge {
  const attempts = [...details.map((detail) => ({ detail, isCut: false })), { detail: 'none' as const, isCut: true }];
  const others = { ...toPriceExtension(input.inputPrice), ...secretPlace };
  for (const { detail, isCut } of attempts) {
    const resource = toResource(input.resource, isCut);
    const told = { method, detail };
    const challenge = encode(
      { ...toRequired(input, resource), extensions: { bazaar: { ...toBazaar(input, told) }, ...others } },
      toRequiredV1(list, input, told),
    );
    if (isSmall(challenge)) {
      return challenge;
    }
  }
  const required = { ...toRequired(input, toResource(input.resource, true)), extensions: others };
  return encode(required, toRequiredV1(list, input, { method, detail: 'none' }));
}

/** Always the last of the extensions, so that no text of a creator stands behind it. */
const secretPlace = { [BUYER_SECRET]: declareSecret(SECRET_PLACEHOLDER) };

/** Our own extension of x402 version 2: whether the amounts are those of the input that was sent. */
function toPriceExtension(inputPrice: InputPrice | undefined): { [name: string]: Json } {
  if (!inputPrice) {
    return {};
  }
  const properties = { isExact: { type: 'boolean' }, fromUsdc: { type: 'string' }, toUsdc: { type: 'string' } };
  return { 'price-by-input': { info: { ...inputPrice }, schema: { type: 'object', properties } } };
}

function withReason(
  ready: EncodedChallenge,
  { reason, detail }: { reason?: string | undefined; detail?: string | undefined },
): EncodedChallenge {
  if (reason === undefined) {
    return ready;
  }
  const said = { error: reason, ...(detail === undefined ? {} : { detail }) };
  return encode({ ...ready.paymentRequired, error: reason }, { ...ready.paymentRequiredV1, ...said });
}

function encode(paymentRequired: PaymentRequired, paymentRequiredV1: PaymentRequiredV1): EncodedChallenge {
  const body = Buffer.from(JSON.stringify(paymentRequiredV1));
  return { header: cut(JSON.stringify(paymentRequired)), body, paymentRequired, paymentRequiredV1 };
}

/**
 * Base64 encodes three bytes at a time, so spaces before the secret let it begin with a group of its own; its length is a
 * multiple of three. What stands before and behind it is encoded here, once.
 */
function cut(json: string): EncodedChallenge['header'] {
  const at = json.lastIndexOf(`"${SECRET_PLACEHOLDER}"`);
  const before = json.slice(0, at);
  const spaces = ' '.repeat((3 - ((Buffer.byteLength(before) + 1) % 3)) % 3);
  const behind = json.slice(at + 1 + SECRET_PLACEHOLDER.length);
  return { head: toBase64(`${before}${spaces}"`), tail: toBase64(behind) };
}

function toBase64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function isSmall({ header }: EncodedChallenge): boolean {
  return header.head.length + header.tail.length + (4 / 3) * SECRET_PLACEHOLDER.length <= MAX_HEADER_CHARACTERS;
}

function toRequired(input: ChallengeInput, resource: PaymentRequired['resource']): PaymentRequired {
  const accepts = input.offers.map((offer) => {
    const { scheme, network, asset, payTo, maxTimeoutSeconds, amountAtomic } = offer;
    const shared = { scheme, network, asset, payTo, maxTimeoutSeconds };
    return { ...shared, extra: toWireExtra(offer), amount: amountAtomic.toString() };
  });
  return { x402Version: 2, error: toError(input), resource, accepts };
}

function toRequiredV1(
  list: SchemeList,
  input: ChallengeInput,
  told: { method: Method; detail: Detail },
): PaymentRequiredV1 {
  const { resource } = input;
  const description = cutText(resource.description, LONGEST_DESCRIPTION);
  const accepts = input.offers.flatMap((offer) => {
    const network = findNetwork(list, offer.network)?.v1Name;
    return network
      ? {
          scheme: offer.scheme,
          network,
          maxAmountRequired: offer.amountAtomic.toString(),
          resource: resource.url,
          description,
          mimeType: resource.mimeType,
          payTo: offer.payTo,
          maxTimeoutSeconds: offer.maxTimeoutSeconds,
          asset: offer.asset,
          outputSchema: toOutputSchemaV1(input, told),
          extra: toWireExtra(offer),
        }
      : [];
  });
  return { x402Version: 1, error: toError(input), accepts };
}

function toError({ inputPrice }: ChallengeInput): string {
  return !inputPrice || inputPrice.isExact
    ? NOT_PAID
    : `${NOT_PAID}: the price follows from the input and is at most ${inputPrice.toUsdc} USDC. Send the input without a payment to be asked for its exact price.`;
}

/** `serviceName` and `tags` that catalogues would drop (x402 specification: short printable ASCII) are not sent. */
function toResource(resource: ResourceInfo, isCut: boolean): PaymentRequired['resource'] {
  const { url, mimeType, description } = resource;
  const tags = (resource.tags ?? []).filter((tag) => PRINTABLE_ASCII.test(tag)).slice(0, 5);
  const hasName = resource.serviceName !== undefined && PRINTABLE_ASCII.test(resource.serviceName);
  return {
    url,
    description: cutText(description, isCut ? SHORT_DESCRIPTION : LONGEST_DESCRIPTION),
    mimeType,
    ...(hasName && !isCut ? { serviceName: resource.serviceName ?? '' } : {}),
    ...(tags.length > 0 && !isCut ? { tags } : {}),
  };
}

/** The whole text stands in the public view of the resource. */
function cutText(text: string, longest: number): string {
  const characters = Array.from(text);
  return characters.length <= longest ? text : `${characters.slice(0, longest - 1).join('')}…`;
}
