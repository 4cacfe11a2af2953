import { Big } from 'big.js';
import { formatUsdc } from '#kit/index.ts';
import type { Offer } from '#payments/index.ts';
import { quoteVersion, type PublishedVersion } from '#resources/index.ts';
import type { GatewayDeps } from './gateway-deps.ts';

/** Products of prices have more places than money has. */
const USD = /^\d{1,12}(\.\d{1,200})?$/;
type WorstDeps = Pick<GatewayDeps, 'kinds' | 'clock' | 'log'>;

/** The most that a run may cost its creator, in USD; what the call is sold for where the kind cannot tell. */
export async function quoteWorst(
  deps: WorstDeps,
  version: PublishedVersion,
  offer: Pick<Offer, 'amountAtomic'>,
): Promise<string> {
  return (await tellWorst(deps, version)) ?? formatUsdc(offer.amountAtomic);
}

/** The same; null where the kind cannot tell. */
export async function tellWorst(deps: WorstDeps, version: PublishedVersion): Promise<string | null> {
  const worst = (await quoteVersion(deps, version))?.worstUsd;
  return worst !== undefined && USD.test(worst) ? worst : null;
}

/** The same of so many of the inputs that a call carries. `version`: what each of them is run by. */
export async function quoteWorstOfItems(
  deps: Pick<GatewayDeps, 'kinds' | 'clock' | 'log'>,
  version: PublishedVersion,
  count: number,
): Promise<string> {
  const worst = await quoteWorst(deps, version, { amountAtomic: version.priceAtomic });
  return new Big(worst).times(count).toFixed();
}
