import type { Json } from '#kit/index.ts';
import { findNetwork, type SchemeList } from './find-scheme.ts';
import { toWireExtra, type Offer } from './offer.ts';
import { encodeBase64Json } from './wire/base64-json.ts';
import { details, toBazaar, toOutputSchemaV1, type BazaarInput, type Detail } from './wire/to-bazaar.ts';

/**
 * A client echoes what it was offered and adds about 1 KB, and its header may have 8 KB; reverse proxies commonly
 * allow all response headers together 8 KB, some 4.
 */
const MAX_HEADER_CHARACTERS = 6144;
const LONGEST_DESCRIPTION = 200;
const PRINTABLE_ASCII = /^[\x20-\x7e]{1,32}$/;

interface ResourceInfo {
  url: string;
  description: string;
  mimeType: string;
  serviceName?: string | undefined;
  tags?: readonly string[] | undefined;
}

export interface ChallengeInput extends BazaarInput {
  offers: readonly Offer[];
  resource: ResourceInfo;
}

/** A 402, encoded once per offer version. Its parts are shared between answers: never change them. */
export interface Challenge {
  readonly headers: Readonly<Record<string, string>>;
  /** Version 1, as JSON. */
  readonly body: Buffer;
  /** Version 2, as it stands in the PAYMENT-REQUIRED header. */
  readonly paymentRequired: PaymentRequired;
  readonly paymentRequiredV1: PaymentRequiredV1;
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

/**
 * Version 2 in the header, version 1 in the body. Where the input schema makes the header too long it is told with
 * less detail, in the order of `details`; at last the description is cut and the discovery extension left out.
 */
export function buildChallenge(list: SchemeList, input: ChallengeInput): Challenge {
  const attempts = [...details.map((detail) => ({ detail, isCut: false })), { detail: 'none' as const, isCut: true }];
  for (const { detail, isCut } of attempts) {
    const resource = toResource(input.resource, isCut);
    const challenge = encode(
      { ...toRequired(input, resource), extensions: { bazaar: { ...toBazaar(input, detail) } } },
      toRequiredV1(list, input, detail),
    );
    if (isSmall(challenge)) {
      return challenge;
    }
  }
  return encode(toRequired(input, toResource(input.resource, true)), toRequiredV1(list, input, 'none'));
}

/** The same 402 saying why the payment that came with the request was not taken; `detail` stands in the body. */
export function withReason(challenge: Challenge, reason: string, detail?: string): Challenge {
  const required = { ...challenge.paymentRequired, error: reason };
  return encode(required, { ...challenge.paymentRequiredV1, error: reason, ...(detail ? { detail } : {}) });
}

function encode(paymentRequired: PaymentRequired, paymentRequiredV1: PaymentRequiredV1): Challenge {
  const body = Buffer.from(JSON.stringify(paymentRequiredV1));
  return {
    headers: {
      'PAYMENT-REQUIRED': encodeBase64Json(paymentRequired),
      'Content-Type': 'application/json',
      'Content-Length': String(body.length),
      'Cache-Control': 'no-store',
    },
    body,
    paymentRequired,
    paymentRequiredV1,
  };
}

function isSmall(challenge: Challenge): boolean {
  return (challenge.headers['PAYMENT-REQUIRED']?.length ?? 0) <= MAX_HEADER_CHARACTERS;
}

function toRequired(input: ChallengeInput, resource: PaymentRequired['resource']): PaymentRequired {
  const accepts = input.offers.map((offer) => {
    const { amountAtomic, paymentFlow: _, ...rest } = offer;
    return { ...rest, extra: toWireExtra(offer), amount: amountAtomic.toString() };
  });
  return { x402Version: 2, error: NOT_PAID, resource, accepts };
}

function toRequiredV1(list: SchemeList, input: ChallengeInput, detail: Detail): PaymentRequiredV1 {
  const { resource } = input;
  const accepts = input.offers.flatMap((offer) => {
    const network = findNetwork(list, offer.network)?.v1Name;
    return network
      ? {
          scheme: offer.scheme,
          network,
          maxAmountRequired: offer.amountAtomic.toString(),
          resource: resource.url,
          description: resource.description,
          mimeType: resource.mimeType,
          payTo: offer.payTo,
          maxTimeoutSeconds: offer.maxTimeoutSeconds,
          asset: offer.asset,
          outputSchema: toOutputSchemaV1(input, detail),
          extra: toWireExtra(offer),
        }
      : [];
  });
  return { x402Version: 1, error: NOT_PAID, accepts };
}

/** `serviceName` and `tags` that catalogues would drop (x402 specification: short printable ASCII) are not sent. */
function toResource(resource: ResourceInfo, isCut: boolean): PaymentRequired['resource'] {
  const { url, mimeType, description } = resource;
  const tags = (resource.tags ?? []).filter((tag) => PRINTABLE_ASCII.test(tag)).slice(0, 5);
  const hasName = resource.serviceName !== undefined && PRINTABLE_ASCII.test(resource.serviceName);
  return {
    url,
    description: isCut ? Array.from(description).slice(0, LONGEST_DESCRIPTION).join('') : description,
    mimeType,
    ...(hasName && !isCut ? { serviceName: resource.serviceName ?? '' } : {}),
    ...(tags.length > 0 && !isCut ? { tags } : {}),
  };
}
