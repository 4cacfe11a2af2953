import type { JsonSchema, PublishedVersion, VersionOffer } from './resource-kind.ts';

/** As long as the longest run may take. */
const BATCH_SECONDS = 3_600;

const made = new WeakMap<PublishedVersion, PublishedVersion>();

/**
 * The same version as it is sold for many inputs at once: by a list of inputs, at what they cost together, paid before it
 * runs and answered later. Its own offers are at the most that they can ask.
 */
export function toBatch(version: PublishedVersion): PublishedVersion {
  const known = made.get(version);
  if (known) {
    return known;
  }
  // What is measured is measured of one input.
  const { useMeasure: _, ...rest } = version;
  const batch: PublishedVersion = {
    ...rest,
    ...toTerms(version),
    priceAtomic: version.priceAtomic * countMost(version),
    inputSchema: toListSchema(version),
    batchOf: version,
    superseded: version.superseded
      .filter((replaced) => replaced.batch !== undefined)
      .map((replaced) => ({ ...replaced, ...toTerms(replaced), batchOf: replaced })),
  };
  made.set(version, batch);
  return batch;
}

type Sold = Pick<PublishedVersion, 'offers' | 'batch'>;

function toTerms(sold: Sold): Pick<PublishedVersion, 'offers' | 'settlementPoint' | 'timeoutSeconds' | 'runsLong'> {
  const offers = sold.offers.map((offer): VersionOffer => ({
    ...offer,
    amountAtomic: offer.amountAtomic * countMost(sold),
  }));
  return { offers, settlementPoint: 'upfront', timeoutSeconds: BATCH_SECONDS, runsLong: true };
}

function countMost({ batch }: Sold): bigint {
  return BigInt(batch?.maxInputs ?? 1);
}

function toListSchema({ inputSchema, batch }: PublishedVersion): JsonSchema {
  const { $schema = 'https://json-schema.org/draft/2020-12/schema', ...items } = inputSchema;
  return {
    $schema,
    type: 'object',
    properties: { inputs: { type: 'array', minItems: 1, maxItems: batch?.maxInputs ?? 1, items } },
    required: ['inputs'],
    additionalProperties: false,
  };
}
