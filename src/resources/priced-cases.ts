import { toMaxLength } from './to-input-schema.ts';
import { isAlwaysThere, type Parameter } from './parameter.ts';
import { priceLowest, type Priced } from './price-offers.ts';
import type { CostQuote, PublishedVersion, ResourceKind, VersionOffer } from './resource-kind.ts';

/** Inputs that are sold at one price, and the most that any of them may cost. */
export interface PricedCase {
  offers: VersionOffer[];
  /** Null where nobody knows. */
  quote: CostQuote | null;
  /** Which inputs, in words; null for all. */
  of: string | null;
}

type Sold<Config> = Priced & { config: Config } & Pick<PublishedVersion, 'parameters' | 'ownerId'>;

/**
 * Where the margin of a version can be smallest. A price formula grows with lengths in a straight line until its cap, and
 * what a prompt costs does too, so between the shortest and the longest texts the margin is nowhere smaller than at one of
 * them. What else is priced by the input is taken at its least, with the most that any input costs. Where a longer prompt
 * is dearer by the token, only the call can tell: its own input is looked at there.
 */
export async function listPricedCases<Config>(
  kind: Pick<ResourceKind<Config>, 'quoteCost'>,
  { config, parameters, ownerId, ...priced }: Sold<Config>,
): Promise<PricedCase[]> {
  const quote = async (narrowed: Parameter[]): Promise<CostQuote | null> =>
    (await kind.quoteCost?.(config, narrowed, { ownerId })) ?? null;
  const texts = listTexts(priced, parameters);
  const cases = texts.reduce<Length[][]>(
    (all, { name, shortest, longest }) =>
      all.flatMap((chosen) => [...new Set([shortest, longest])].map((length) => [...chosen, { name, length }])),
    [[]],
  );
  return Promise.all(
    cases.map(async (lengths) => {
      const narrowed = parameters.map((parameter) => narrow(parameter, lengths));
      return { offers: priceLowest(priced, narrowed), quote: await quote(narrowed), of: describe(lengths) };
    }),
  );
}

interface Length {
  name: string;
  length: number;
}

function listTexts(
  { priceFormula }: Pick<Priced, 'priceFormula'>,
  parameters: readonly Parameter[],
): { name: string; shortest: number; longest: number }[] {
  const names = new Set(
    priceFormula?.terms.flatMap((term) => ('per' in term && term.per === 'character' ? [term.parameter] : [])),
  );
  return parameters
    .filter(({ name }) => names.has(name))
    .map((parameter) => {
      return {
        name: parameter.name,
        shortest: isAlwaysThere(parameter) ? (parameter.minLength ?? 0) : 0,
        longest: toMaxLength(parameter),
      };
    });
}

/** A text of just this length, which is always sent. */
function narrow(parameter: Parameter, lengths: readonly Length[]): Parameter {
  const chosen = lengths.find(({ name }) => name === parameter.name);
  if (!chosen) {
    return parameter;
  }
  const { default: _fallback, example: _example, ...bare } = parameter;
  return { ...bare, required: true, minLength: chosen.length, maxLength: chosen.length };
}

function describe(lengths: readonly Length[]): string | null {
  return lengths.length === 0
    ? null
    : `with ${lengths.map(({ name, length }) => `${length} characters of \`${name}\``).join(' and ')}`;
}
