import type { Clock, Log } from '#kit/index.ts';
import type { CostQuote, PublishedVersion, ResourceKind } from './resource-kind.ts';

type Quoting = Pick<ResourceKind, 'quoteCost'>;
type Quoted = Pick<PublishedVersion, 'config' | 'parameters' | 'ownerId'>;

/** Models and prices change a few times a day, and then everything is forgotten; the rest of what costs hang on goes by time. */
const KEPT_MS = 30_000;

/** By the kind that told, and with the version in memory, so that each goes when its version does. */
const told = new WeakMap<Quoting, WeakMap<Quoted, { atMs: number; quote: Promise<CostQuote | null> }>>();

/** Asked of the kind now; null where it cannot tell. */
export async function quoteOf(kind: Quoting, { config, parameters, ownerId }: Quoted): Promise<CostQuote | null> {
  return (await kind.quoteCost?.(config, parameters, { ownerId })) ?? null;
}

/** What a call of this version costs by its kind, as it was told lately. Rejects, and remembers nothing, where the kind does. */
export function recallQuote(
  { kind, clock }: { kind: Quoting; clock: Clock },
  version: Quoted,
): Promise<CostQuote | null> {
  const quotes = told.get(kind) ?? new WeakMap<Quoted, { atMs: number; quote: Promise<CostQuote | null> }>();
  told.set(kind, quotes);
  const known = quotes.get(version);
  if (known && clock.now() - known.atMs <= KEPT_MS) {
    return known.quote;
  }
  const quote = quoteOf(kind, version);
  quotes.set(version, { atMs: clock.now(), quote });
  quote.catch(() => quotes.delete(version));
  return quote;
}

/** Models or their prices have changed. What is being asked meanwhile is not remembered either. */
export function forgetQuotes(kinds: Iterable<Quoting>): void {
  for (const kind of kinds) {
    told.delete(kind);
  }
}

interface QuoteDeps {
  kinds: ReadonlyMap<string, ResourceKind>;
  clock: Clock;
  log: Pick<Log, 'error'>;
}

/** The same; null too where its kind is not here or cannot be asked. */
export async function quoteVersion({ kinds, clock, log }: QuoteDeps, version: PublishedVersion) {
  const kind = kinds.get(version.kind);
  return kind === undefined
    ? null
    : recallQuote({ kind, clock }, version).catch((error: unknown) => {
        log.error({ err: error, resourceId: version.resourceId }, 'the cost of a call could not be told');
        return null;
      });
}
