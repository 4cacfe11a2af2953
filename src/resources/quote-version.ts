import type { Clock, Log } from '#kit/index.ts';
import { listPricedCases, type PricedCase } from './priced-cases.ts';
import type { CostQuote, PublishedVersion, ResourceKind } from './resource-kind.ts';

type Quoting = Pick<ResourceKind, 'quoteCost'>;
type Quoted = Pick<PublishedVersion, 'config' | 'parameters' | 'ownerId'>;

/** Models and prices change a few times a day, and then everything is forgotten; the rest of what costs hang on goes by time. */
const KEPT_MS = 30_000;

/** By the kind that told, and with the version in memory, so that each goes when its version does. */
type Memory<Told> = WeakMap<Quoting, WeakMap<object, { atMs: number; told: Promise<Told> }>>;

const quotes: Memory<CostQuote | null> = new WeakMap();
const cases: Memory<readonly PricedCase[]> = new WeakMap();

/** Asked of the kind now; null where it cannot tell. */
export async function quoteOf(kind: Quoting, { config, parameters, ownerId }: Quoted): Promise<CostQuote | null> {
  return (await kind.quoteCost?.(config, parameters, { ownerId })) ?? null;
}

/** What a call of this version costs by its kind, as it was told lately. Rejects, and remembers nothing, where the kind does. */
export function recallQuote(
  { kind, clock }: { kind: Quoting; clock: Clock },
  version: Quoted,
): Promise<CostQuote | null> {
  return recall(quotes, { kind, clock, version }, () => quoteOf(kind, version));
}

/** The same of where its margin can be smallest; a price that is fixed has one such case, which is every input. */
export async function recallCases(
  { kind, clock }: { kind: Quoting; clock: Clock },
  version: PublishedVersion,
): Promise<readonly PricedCase[]> {
  if (!version.priceFormula) {
    return [{ offers: version.offers, quote: await recallQuote({ kind, clock }, version), of: null }];
  }
  return recall(cases, { kind, clock, version }, () => listPricedCases(kind, version));
}

function recall<Told>(
  memory: Memory<Told>,
  { kind, clock, version }: { kind: Quoting; clock: Clock; version: object },
  ask: () => Promise<Told>,
): Promise<Told> {
  const ofKind = memory.get(kind) ?? new WeakMap<object, { atMs: number; told: Promise<Told> }>();
  memory.set(kind, ofKind);
  const known = ofKind.get(version);
  if (known && clock.now() - known.atMs <= KEPT_MS) {
    return known.told;
  }
  const told = ask();
  ofKind.set(version, { atMs: clock.now(), told });
  told.catch(() => ofKind.delete(version));
  return told;
}

/** Models or their prices have changed. What is being asked meanwhile is not remembered either. */
export function forgetQuotes(kinds: Iterable<Quoting>): void {
  for (const kind of kinds) {
    quotes.delete(kind);
    cases.delete(kind);
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
