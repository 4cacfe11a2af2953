import { parseInput } from './parse-input.ts';
import { priceOffers } from './price-offers.ts';
import type { SupersededOffers, VersionOffer } from './resource-kind.ts';

/**
 * The offers of a replaced version for an input that its successor has read. An input that the replaced version would have
 * refused was never offered at a price of its own: it costs the most.
 */
export function priceReplaced(
  replaced: SupersededOffers,
  input: Readonly<Record<string, unknown>> | undefined,
): VersionOffer[] {
  const { priced } = replaced;
  if (!priced || input === undefined) {
    return priceOffers(replaced, input);
  }
  const names = new Set(priced.parameters.map(({ name }) => name));
  const parsed = parseInput(priced, Object.fromEntries(Object.entries(input).filter(([name]) => names.has(name))));
  return priceOffers(replaced, parsed.ok ? parsed.input : undefined);
}
