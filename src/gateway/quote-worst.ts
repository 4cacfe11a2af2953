import { formatUsdc } from '#kit/index.ts';
import type { Offer } from '#payments/index.ts';
import type { CostQuote, PublishedVersion } from '#resources/index.ts';
import type { GatewayDeps } from './gateway-deps.ts';

type QuoteDeps = Pick<GatewayDeps, 'kinds' | 'clock' | 'log'>;

/** Prices of models change a few times a day. */
const KEPT_MS = 60_000;
const USD = /^\d{1,12}(\.\d{1,18})?$/;

const quotes = new WeakMap<PublishedVersion, { atMs: number; quote: Promise<CostQuote | null> }>();

/** The most that a run may cost its creator, in USD; what the call is sold for where the kind cannot tell. */
export async function quoteWorst(deps: QuoteDeps, version: PublishedVersion, offer: Offer): Promise<string> {
  const worst = (await quote(deps, version))?.worstUsd;
  return worst !== undefined && USD.test(worst) ? worst : formatUsdc(offer.amountAtomic);
}

function quote(deps: QuoteDeps, version: PublishedVersion): Promise<CostQuote | null> {
  const known = quotes.get(version);
  if (known && deps.clock.now() - known.atMs < KEPT_MS) {
    return known.quote;
  }
  const asked = ask(deps, version).catch((error: unknown) => {
    deps.log.warn({ err: error, resourceId: version.resourceId }, 'the cost of a call could not be told');
    return null;
  });
  quotes.set(version, { atMs: deps.clock.now(), quote: asked });
  return asked;
}

async function ask(deps: QuoteDeps, { kind: name, config, parameters, ownerId }: PublishedVersion) {
  const kind = deps.kinds.get(name);
  return (await kind?.quoteCost?.(config, parameters, ownerId)) ?? null;
}
