import { Big } from 'big.js';
import type { FieldProblem } from '#kit/index.ts';
import { toLowestPrice } from './lowest-price.ts';
import type { PricedCase } from './priced-cases.ts';
import type { CostQuote, PublishedVersion, Readiness, ResourceKind, Unpriced, VersionOffer } from './resource-kind.ts';

interface Sold {
  offers: readonly VersionOffer[];
  /** The most that one call may lose, USD. */
  maxLossUsd: string;
}

/** Of USDC. */
const DECIMALS = 6;

/** What a call costs its creator at worst, the buying of the credit that pays for it included. */
function toWholeCost({ worstUsd, feePercent = '0' }: Pick<CostQuote, 'worstUsd' | 'feePercent'>): Big {
  return new Big(worstUsd).times(new Big(feePercent).div(100).plus(1));
}

/** The lowest price at which a call loses at most `maxLossUsd`, in USDC; never less than nothing. */
export function toLowestSafePrice(quote: CostQuote, maxLossUsd = '0'): string {
  const least = toWholeCost(quote).minus(maxLossUsd);
  return least.lte(0) ? '0' : least.round(DECIMALS, Big.roundUp).toFixed();
}

/**
 * With a margin: a quarter above what covers the worst case, or twice what a call typically costs where that is more, in
 * two significant digits.
 */
export function toSuggestedPrice(quote: CostQuote): string {
  const twice = toWholeCost({ ...quote, worstUsd: quote.typicalUsd }).times(2);
  const above = toWholeCost(quote).times('1.25');
  const price = twice.gt(above) ? twice : above;
  return price.prec(2, Big.roundUp).round(DECIMALS, Big.roundUp).toFixed();
}

/**
 * Why a call may lose more than its creator accepts; null where it cannot, and for what is free, which is meant to.
 * @internal
 */
export function explainLoss({ offers, maxLossUsd }: Sold, quote: CostQuote): string | null {
  const price = toLowestPrice(offers);
  const lowest = toLowestSafePrice(quote, maxLossUsd);
  if (offers.length === 0 || price === '0' || new Big(price).gte(lowest)) {
    return null;
  }
  const { worstUsd, feePercent = '0' } = quote;
  const cost = toWholeCost(quote).toFixed();
  const fee = new Big(feePercent).eq(0) ? '' : ` (${worstUsd} USD and ${feePercent} % for buying the credit)`;
  const loss = new Big(maxLossUsd).eq(0) ? '' : `, a loss of ${maxLossUsd} USD that you accept counted in`;
  return (
    `A call can cost up to ${cost} USD${fee}, and its price is ${price} USDC. The lowest price that would do is ` +
    `${lowest} USDC${loss}. Lower maxTokens or what parameters may be long, choose a cheaper model or provider, or ` +
    `accept the loss: "acceptsLoss": {"maxLossUsdPerCall": "${new Big(cost).minus(price).round(DECIMALS, Big.roundUp).toFixed()}"}.`
  );
}

/** What was told last of a quote, which is the same object for as long as it is remembered. */
const told = new WeakMap<CostQuote, Sold & { loss: string | null }>();

function recallLoss({ offers, maxLossUsd }: Sold, quote: CostQuote): string | null {
  const known = told.get(quote);
  if (known && known.offers === offers && known.maxLossUsd === maxLossUsd) {
    return known.loss;
  }
  const loss = explainLoss({ offers, maxLossUsd }, quote);
  told.set(quote, { offers, maxLossUsd, loss });
  return loss;
}

interface Judged<Config> {
  kind: ResourceKind<Config>;
  config: Config;
  /** Where the margin can be smallest. */
  cases: readonly PricedCase[];
  maxLossUsd: string;
  /** Where the draft says its price. */
  path: '/priceUsdc' | '/priceFormula';
}

/** What keeps a draft from being sold at its price. What a kind can never quote has no fixed price, and says why. */
export async function checkMargin<Config>(judged: Judged<Config>): Promise<FieldProblem[]> {
  const { kind, config, cases, maxLossUsd, path } = judged;
  if (!kind.quoteCost || cases.every(({ offers }) => toLowestPrice(offers) === '0')) {
    return [];
  }
  const found = cases.map(({ offers, quote, of }) => ({
    of,
    loss: quote === null ? null : explainLoss({ offers, maxLossUsd }, quote),
  }));
  const worst = found.find(({ loss }) => loss !== null);
  const unpriced = cases.some(({ quote }) => quote === null)
    ? refuseUnpriced((await kind.explainUnpriced?.(config)) ?? null, maxLossUsd)
    : null;
  const message = unpriced ?? (worst ? toCaseMessage(worst) : null);
  return message ? [{ path, message }] : [];
}

function toCaseMessage({ of, loss }: { of: string | null; loss: string | null }): string {
  return of === null ? `${loss}` : `At the price of an input ${of}: ${loss}`;
}

/** How much is accepted bounds nothing where nobody knows the cost; that a loss is, has to be said. */
function refuseUnpriced(unpriced: Unpriced | null, maxLossUsd: string): string | null {
  if (unpriced === null || (unpriced.mayBeAccepted && new Big(maxLossUsd).gt(0))) {
    return null;
  }
  return unpriced.mayBeAccepted
    ? `${unpriced.why} A call may cost more than its price, by an amount that nothing here bounds. To sell it all the same, accept a loss: "acceptsLoss": {"maxLossUsdPerCall": "…"}.`
    : unpriced.why;
}

/**
 * May a call of this version be sold at what it costs now? A version that was published before this was asked is sold as it
 * was. Of a cost that nobody knows nothing is said here: `isSellable` asks the kind why.
 */
export function judgeMargin(
  { offers, maxLossUsd }: Pick<PublishedVersion, 'offers' | 'maxLossUsd'>,
  quote: CostQuote | null,
  of: string | null = null,
): Readiness {
  const loss = maxLossUsd === null || quote === null ? null : recallLoss({ offers, maxLossUsd }, quote);
  return loss === null
    ? { ready: true }
    : { ready: false, cause: `margin: ${toCaseMessage({ of, loss })} It is sold again by itself when the cost falls.` };
}

/**
 * Can it run now, at a cost that its price covers? Where the cost is not known any more no highest price can be sent along
 * either, so it is not sold, as it could not be published.
 */
export async function isSellable(
  kind: Pick<ResourceKind, 'isReady' | 'explainUnpriced'>,
  version: PublishedVersion,
  list: () => Promise<readonly PricedCase[]>,
): Promise<Readiness> {
  const readiness = await kind.isReady(version);
  const { maxLossUsd, config } = version;
  if (!readiness.ready || maxLossUsd === null) {
    return readiness;
  }
  const cases = await list();
  if (cases.every(({ offers, quote }) => quote !== null || toLowestPrice(offers) === '0')) {
    return judgeCases(cases, maxLossUsd);
  }
  const why = refuseUnpriced((await kind.explainUnpriced?.(config)) ?? null, maxLossUsd);
  return why === null
    ? { ready: true }
    : { ready: false, cause: `margin: ${why} It is sold again by itself when its cost is known.` };
}

function judgeCases(cases: readonly PricedCase[], maxLossUsd: string): Readiness {
  const judged = cases.map(({ offers, quote, of }) => judgeMargin({ offers, maxLossUsd }, quote, of));
  return judged.find(({ ready }) => !ready) ?? { ready: true };
}
