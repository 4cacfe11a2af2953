import type { Model } from './model.ts';
import type { ListedModel } from './parse-catalogue.ts';

/** What the newest list says of the models that are there already. */
export interface ListVerdict {
  /** Why the list is not believed; null where it is. */
  doubt: Doubt | null;
  missing: string[];
  gone: string[];
}

export interface Doubt {
  reason: 'empty' | 'too_many_vanish' | 'prices_vanish';
  active: number;
  /** How many models would vanish at once, or lose their price. */
  affected: number;
}

export type KnownRow = Pick<
  Model,
  'openrouterId' | 'isActive' | 'isFree' | 'missingSince' | 'expirationDate' | 'canonicalSlug'
> & { missedSyncs: number };

interface Question {
  known: readonly KnownRow[];
  listed: readonly ListedModel[];
  /** An administrator means it, or the list before it was the dated snapshot: what is missing is gone. */
  isTrusted: boolean;
  at: Date;
}

/** A change of more than this share of the active models at once is more likely a fault of the list than news. */
const DOUBTFUL_SHARE = 0.1;
/** In a small catalogue a few models are a large share. */
const NEVER_DOUBTFUL = 3;
/** A model counts as gone when so many lists in a row, over at least so long a time, have lacked it. */
const MISSES_UNTIL_GONE = 3;
const HOURS_UNTIL_GONE = 24;

export function judgeList({ known, listed, isTrusted, at }: Question): ListVerdict {
  const byId = new Map(listed.map((model) => [model.openrouterId, model]));
  const active = known.filter((model) => model.isActive);
  const absent = active.filter((model) => !byId.has(model.openrouterId));
  const gone = absent.filter((model) => isTrusted || isGone(model, at)).map((model) => model.openrouterId);
  const missing = absent.map((model) => model.openrouterId).filter((id) => !gone.includes(id));
  // What earlier lists lacked already was judged then.
  const vanished = absent.filter((model) => model.missedSyncs === 0).length;
  const freed = active.filter((model) => !model.isFree && byId.get(model.openrouterId)?.isFree === true).length;
  const most = Math.max(NEVER_DOUBTFUL, active.length * DOUBTFUL_SHARE);
  const found = (reason: Doubt['reason'], affected: number): Doubt => ({ reason, active: active.length, affected });
  return { doubt: findDoubt(), missing, gone };

  function findDoubt(): Doubt | null {
    if (listed.length === 0) {
      return found('empty', vanished);
    }
    if (isTrusted) {
      return null;
    }
    if (vanished > most) {
      return found('too_many_vanish', vanished);
    }
    return freed > most ? found('prices_vanish', freed) : null;
  }
}

/** `missedSyncs` counts the lists before this one. A model past its announced end needs no second look. */
function isGone({ missedSyncs, missingSince, expirationDate }: KnownRow, at: Date): boolean {
  const hasEnded = expirationDate !== null && expirationDate < at.toISOString().slice(0, 10);
  const hours = missingSince === null ? 0 : (at.getTime() - Date.parse(missingSince)) / 3_600_000;
  return hasEnded || (missedSyncs + 1 >= MISSES_UNTIL_GONE && hours >= HOURS_UNTIL_GONE);
}

/** For whoever reads the record of a refused list. */
export function explainDoubt({ reason, active, affected }: Doubt): string {
  switch (reason) {
    case 'empty':
      return 'The upstream lists no model that can be read.';
    case 'too_many_vanish':
      return `${affected} of ${active} active models would vanish.`;
    case 'prices_vanish':
      return `${affected} of ${active} active models that cost something would be free.`;
  }
}
