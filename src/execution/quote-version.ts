import type { Clock, Log } from '#kit/index.ts';
import type { CostQuote, PublishedVersion, ResourceKind } from '#resources/index.ts';

interface QuoteDeps {
  kinds: ReadonlyMap<string, ResourceKind>;
  clock: Clock;
  log: Pick<Log, 'error'>;
}

/** Prices of models change a few times a day. */
const KEPT_MS = 60_000;

const quotes = new WeakMap<PublishedVersion, { atMs: number; quote: Promise<CostQuote | null> }>();

/** What a call of this version costs by its kind, asked once a minute; null where the kind cannot tell. */
export function quoteVersion(deps: QuoteDeps, version: PublishedVersion): Promise<CostQuote | null> {
  const known = quotes.get(version);
  if (known && deps.clock.now() - known.atMs < KEPT_MS) {
    return known.quote;
  }
  const quote = ask(deps, version).catch((error: unknown) => {
    deps.log.error({ err: error, resourceId: version.resourceId }, 'the cost of a call could not be told');
    return null;
  });
  quotes.set(version, { atMs: deps.clock.now(), quote });
  return quote;
}

async function ask({ kinds }: QuoteDeps, version: PublishedVersion): Promise<CostQuote | null> {
  const { kind, config, parameters, ownerId } = version;
  return (await kinds.get(kind)?.quoteCost?.(config, parameters, { ownerId })) ?? null;
}
