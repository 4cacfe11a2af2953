import type { Clock, Log } from '#kit/index.ts';
import { withoutCode, type PublishedVersion } from '#resources/index.ts';
import type { SpendCap } from '#usage/index.ts';

interface Refused {
  ownerId: string;
  resourceId: string;
  slug: string;
}

/** A cap of the creator's that had no room for a call. */
export interface ReachedCap extends Refused {
  cap: SpendCap;
  /** The most that the call may cost. */
  worstUsd: string;
  /** Of how many runs it consists. */
  runs: number;
}

/** Calls that were refused for something that ends by itself: nothing was paused for it. */
export interface RefusedSale extends Refused {
  code: string;
  /** What is wrong and what to do. */
  cause: string;
}

/** Tells creators what stops a sale and pauses nothing. */
export interface OwnerNews {
  /** @returns whether it was told: a cap may be another one by then. */
  tellCap(reached: ReachedCap): Promise<boolean>;
  tellRefused(refused: RefusedSale): Promise<boolean>;
}

/** The code of its cause. */
export const CAP_REACHED = 'spend_cap_reached';

const DAY_MS = 86_400_000;

interface NewsDeps {
  clock: Clock;
  log: Pick<Log, 'warn'>;
  /** Absent: nobody is told. */
  news?: OwnerNews;
}

/**
 * Tells the same thing once a day; over all processes that is for whoever is told. Never rejects: the next refusal tries
 * again.
 */
export function rememberNews({ clock, log, news }: NewsDeps): OwnerNews {
  let told = { day: 0, names: new Set<string>() };
  const once = async (name: string, tell: (() => Promise<boolean>) | undefined): Promise<boolean> => {
    const day = Math.floor(clock.now() / DAY_MS);
    told = told.day === day ? told : { day, names: new Set() };
    const { names } = told;
    if (tell === undefined || names.has(name)) {
      return false;
    }
    names.add(name);
    const isTold = await tell().catch((err: unknown) => {
      log.warn({ err }, 'a creator could not be told what stops a sale');
      return false;
    });
    if (!isTold) {
      names.delete(name);
    }
    return isTold;
  };
  return {
    tellCap: (reached) => {
      const { capId, scope, subject, isEach, perDayUsd } = reached.cap;
      // Anybody can come with one more wallet.
      const whose = scope === 'payer' && isEach ? '' : subject;
      const name = ['cap', capId, whose, perDayUsd, reached.runs > 1].join(' ');
      return once(name, news && (() => news.tellCap(reached)));
    },
    tellRefused: (refused) => {
      const name = ['refused', refused.resourceId, refused.code].join(' ');
      return once(name, news && (() => news.tellRefused(refused)));
    },
  };
}

/** Of `code: what is wrong`. A cap is told as one. */
export async function tellUnready(
  { news }: { news: OwnerNews },
  version: PublishedVersion,
  { cause }: { cause: string },
): Promise<void> {
  const code = cause.split(':', 1)[0] ?? '';
  if (code !== CAP_REACHED) {
    await news.tellRefused({ ...toRefused(version), code, cause: withoutCode(cause) });
  }
}

export function toRefused({ ownerId, resourceId, slug }: PublishedVersion): Refused {
  return { ownerId, resourceId, slug };
}
