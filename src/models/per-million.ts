import { Big } from 'big.js';

/** A price of one token as prices are told: of a million of them, exact. */
export function toPerMillion(usd: string): string {
  return new Big(usd).times(1_000_000).toFixed();
}
