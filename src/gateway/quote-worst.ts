import { Big } from 'big.js';
import { formatUsdc } from '#kit/index.ts';
import type { Offer } from '#payments/index.ts';
import { quoteVersion, type PublishedVersion } from '#resources/index.ts';
import type { GatewayDeps } from './gateway-deps.ts';

const USD = /^\d{1,12}(\.\d{1,18})?$/;

/** The most that a run may cost its creator, in USD; what the call is sold for where the kind cannot tell. */
export async function quoteWorst(
  deps: Pick<GatewayDeps, 'kinds' | 'clock' | 'log'>,
  version: PublishedVersion,
  offer: Pick<Offer, 'amountAtomic'>,
): Promise<string> {
  const worst = (await quoteVersion(deps, version))?.worstUsd;
  return worst !== undefined && USD.test(worst) ? worst : formatUsdc(offer.amountAtomic);
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
