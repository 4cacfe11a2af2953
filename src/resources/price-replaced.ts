import { parseInput } from './parse-input.ts';
import { listInputs } from './batch-inputs.ts';
import { priceOffers, sumOffers } from './price-offers.ts';
import type { SupersededOffers, VersionOffer } from './resource-kind.ts';

/**
 * The offers of a replaced version for an input that its successor has read. An input that the replaced version would have
 * refused was never offered at a price of its own: it costs the most.
 */
export function priceReplaced(
  replaced: Pick<SupersededOffers, 'offers' | 'priceFormula' | 'priced' | 'batchOf'>,
  input: Readonly<Record<string, unknown>> | undefined,
): VersionOffer[] {
  const { priced, batchOf } = replaced;
  if (batchOf && input !== undefined) {
    return sumOffers(listInputs(input).map((one) => priceReplaced(batchOf, one)));
  }
  if (!priced || input === undefined) {
    return priceOffers(replaced, input);
  }
  const names = new Set(priced.parameters.map(({ name }) => name));
  const parsed = parseInput(priced, Object.fromEntries(Object.entries(input).filter(([name]) => names.has(name))));
  return priceOffers(replaced, parsed.ok ? parsed.input : undefined);
}
