import { Big } from 'big.js';
import { isExactNumber, type ExactNumber } from '#kit/index.ts';
import { listInputs } from './batch-inputs.ts';
import { isAlwaysThere, type Parameter } from './parameter.ts';
import type { PriceFormula, PriceTerm } from './price-formula.ts';
import type { VersionOffer } from './resource-kind.ts';

/** Atomic units of one USDC. */
const ATOMIC = new Big(1_000_000);

/** What has a price that follows from the input; without a formula it is fixed. */
export interface Priced {
  offers: VersionOffer[];
  priceFormula?: PriceFormula;
  /** Many inputs are sold together: what each of them costs. */
  batchOf?: Priced;
}

type Input = Readonly<Record<string, unknown>>;

/**
 * The offers for one input, as the version's schema has read it; without an input at the most that they can ask, which is
 * what the version's own offers say.
 */
export function priceOffers({ offers, priceFormula, batchOf }: Priced, input: Input | undefined): VersionOffer[] {
  if (batchOf && input !== undefined) {
    return sumOffers(listInputs(input).map((one) => priceOffers(batchOf, one)));
  }
  if (!priceFormula || input === undefined) {
    return offers;
  }
  const amountAtomic = toAtomic(sum(priceFormula, (term) => countOf(term, input)));
  return offers.map((offer) => capped(offer, amountAtomic));
}

/** The offers at the least that any input costs. */
export function priceLowest(
  { offers, priceFormula, batchOf }: Priced,
  parameters: readonly Parameter[],
): VersionOffer[] {
  if (batchOf) {
    return priceLowest(batchOf, parameters);
  }
  if (!priceFormula) {
    return offers;
  }
  const amountAtomic = toAtomic(sum(priceFormula, (term) => leastOf(term, parameters)));
  return offers.map((offer) => capped(offer, amountAtomic));
}

/** Does what is asked follow from the input? */
export function isPricedByInput({ priceFormula, batchOf }: Priced): boolean {
  return priceFormula !== undefined || batchOf !== undefined;
}

/** Of offers in the same order; each input is rounded for itself, so that together they cost what they cost apart. */
export function sumOffers([first = [], ...others]: readonly VersionOffer[][]): VersionOffer[] {
  return first.map((offer, index) => ({
    ...offer,
    amountAtomic: others.reduce((total, one) => total + (one[index]?.amountAtomic ?? 0n), offer.amountAtomic),
  }));
}

function capped(offer: VersionOffer, amountAtomic: bigint): VersionOffer {
  return { ...offer, amountAtomic: amountAtomic < offer.amountAtomic ? amountAtomic : offer.amountAtomic };
}

/** Rounded up, in the creator's favour by less than one unit; never nothing, which no network can pay. */
function toAtomic(usdc: Big): bigint {
  const amountAtomic = BigInt(usdc.times(ATOMIC).round(0, Big.roundUp).toFixed());
  return amountAtomic < 1n ? 1n : amountAtomic;
}

/** Products and sums of decimals are exact. */
function sum({ baseUsdc, terms }: PriceFormula, usdcOf: (term: PriceTerm) => Big): Big {
  return terms.reduce((total, term) => total.plus(usdcOf(term)), new Big(baseUsdc));
}

function countOf(term: PriceTerm, input: Input): Big {
  const value = Object.hasOwn(input, term.parameter) ? input[term.parameter] : undefined;
  if ('usdcByOption' in term) {
    const usdc = typeof value === 'string' && Object.hasOwn(term.usdcByOption, value) && term.usdcByOption[value];
    return new Big(usdc || 0);
  }
  return new Big(term.usdc).times(unitsOf(term.per, value));
}

function unitsOf(per: Exclude<PriceTerm, { usdcByOption: unknown }>['per'], value: unknown): Big {
  switch (per) {
    case 'value':
      return isNumber(value) ? toBig(value) : new Big(0);
    case 'character':
      return new Big(typeof value === 'string' ? countCharacters(value) : 0);
    case 'true':
      return new Big(value === true ? 1 : 0);
    case 'given':
      return new Big(value === undefined ? 0 : 1);
  }
}

function isNumber(value: unknown): value is number | ExactNumber {
  return typeof value === 'number' || isExactNumber(value);
}

/** As it was sent, digit for digit. */
function toBig(value: number | ExactNumber): Big {
  return new Big(typeof value === 'number' ? value : value.rawJSON);
}

/** In code points, as `maxLength` counts them. */
function countCharacters(text: string): number {
  let count = 0;
  for (const _ of text) {
    count += 1;
  }
  return count;
}

function leastOf(term: PriceTerm, parameters: readonly Parameter[]): Big {
  const parameter = parameters.find(({ name }) => name === term.parameter);
  if (parameter === undefined || !isAlwaysThere(parameter)) {
    return new Big(0);
  }
  if ('usdcByOption' in term) {
    const prices = Object.values(term.usdcByOption).map((usdc) => new Big(usdc));
    return prices.reduce((least, usdc) => (usdc.lt(least) ? usdc : least), prices[0] ?? new Big(0));
  }
  const least = { value: parameter.minimum ?? 0, character: parameter.minLength ?? 0, true: 0, given: 1 };
  return new Big(term.usdc).times(least[term.per]);
}
