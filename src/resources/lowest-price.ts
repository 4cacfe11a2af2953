import { formatUsdc } from '#kit/index.ts';
import type { VersionOffer } from './resource-kind.ts';

/** The least that a call brings, in USDC; "0" where it is free. */
export function toLowestPrice(offers: readonly VersionOffer[]): string {
  const [lowest = 0n] = offers.map(({ amountAtomic }) => amountAtomic).toSorted((a, b) => (a < b ? -1 : 1));
  return formatUsdc(lowest);
}
