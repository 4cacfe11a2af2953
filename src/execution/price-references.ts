import { Big } from 'big.js';
import { isRequired, toMediaCaps, type MediaParameter } from '#resources/index.ts';
import type { ImageEndpoint, ImagePrice } from '#upstreams/index.ts';
import type { KnownModel } from './execution-deps.ts';
import { isPerPicture } from './picture-tokens.ts';
import { IMAGE_TOKENS, priceMediaInputs, toImageTokens } from './price-inputs.ts';

export interface PictureCost {
  typical: Big;
  worst: Big;
}

/**
 * At high fidelity a picture that is gone by costs up to 6,240 tokens beside those that every picture costs
 * (https://platform.openai.com/docs/guides/images-vision).
 */
const FIDELITY_TOKENS = 6_240;
/** Of what is sent, where no picture says it: as large as many cameras' previews. */
const TYPICAL_MEGAPIXELS = 1;

const billables: ReadonlySet<string> = new Set(['input_reference', 'input_image']);

/**
 * What the pictures cost that a model goes by: those that are always sent typically, all that may be at worst, at the
 * dearest provider. A provider that lists no price for them bills none, but where it bills the words of the prompt by the
 * token their tokens too. Null where a unit is not known.
 */
export function priceReferences(
  endpoints: readonly ImageEndpoint[],
  pictures: readonly MediaParameter[],
): PictureCost | null {
  const costs = endpoints.map(({ prices }) => priceAll(prices, pictures));
  const known = costs.flatMap((cost) => (cost === null ? [] : [cost]));
  if (known.length < costs.length) {
    return null;
  }
  const typical = known.map((cost) => cost.typical).toSorted((one, other) => one.cmp(other))[0];
  const worst = known.map((cost) => cost.worst).toSorted((one, other) => other.cmp(one))[0];
  return { typical: typical ?? new Big(0), worst: worst ?? new Big(0) };
}

function priceAll(prices: readonly ImagePrice[], pictures: readonly MediaParameter[]): PictureCost | null {
  const own = prices.filter(({ billable }) => billables.has(billable));
  const lines =
    own.length > 0 ? own : prices.filter(({ billable, unit }) => billable === 'input_text' && unit === 'token');
  const sum: PictureCost = { typical: new Big(0), worst: new Big(0) };
  for (const picture of pictures) {
    // One line of each kind of billable applies: of several, such as sizes, the dearest is taken.
    for (const billable of new Set(lines.map((line) => line.billable))) {
      const each = lines.filter((line) => line.billable === billable).map((line) => priceLine(line, picture));
      const dearest = each.reduce<PictureCost | null>(toDearer, { typical: new Big(0), worst: new Big(0) });
      if (dearest === null) {
        return null;
      }
      sum.worst = sum.worst.plus(dearest.worst);
      sum.typical = sum.typical.plus(isRequired(picture) ? dearest.typical : 0);
    }
  }
  return sum;
}

function toDearer(one: PictureCost | null, other: PictureCost | null): PictureCost | null {
  return one === null || other === null ? null : other.worst.gt(one.worst) ? other : one;
}

function priceLine({ unit, usd }: ImagePrice, picture: MediaParameter): PictureCost | null {
  const caps = toMediaCaps(picture);
  const price = new Big(usd);
  switch (unit) {
    case 'image':
    case 'request':
      return { typical: price, worst: price };
    case 'megapixel':
      // Begun ones count as whole.
      return {
        typical: price.times(TYPICAL_MEGAPIXELS),
        worst: price.times(Math.ceil((caps.maxPixels ?? 0) / 1_000_000)),
      };
    case 'token':
      return {
        typical: price.times(IMAGE_TOKENS.typical),
        worst: price.times(toImageTokens(caps.maxPixels) + FIDELITY_TOKENS),
      };
    default:
      return null;
  }
}

/** The same where the providers' price lists cannot be read; null where the catalogue tells no price of it either. */
export function priceReferencesByCatalogue(model: KnownModel, pictures: readonly MediaParameter[]): PictureCost | null {
  const { prompt, image = '0', image_token: token = '0' } = model.pricing;
  const perToken = [prompt, token, isPerPicture(image) ? '0' : image]
    .map((usd) => new Big(usd))
    .reduce((most, usd) => (usd.gt(most) ? usd : most));
  const isTold = [prompt, image, token].some((usd) => usd !== '0');
  const read = isTold || pictures.length === 0 ? priceMediaInputs({ model, parameters: pictures }) : null;
  return (
    read && {
      typical: new Big(read.typicalUsd).plus(new Big(prompt).times(read.typicalTokens)),
      worst: new Big(read.worstUsd)
        .plus(new Big(prompt).times(read.worstTokens))
        .plus(perToken.times(FIDELITY_TOKENS * pictures.length)),
    }
  );
}
