import { Big } from 'big.js';
import type { Database } from '#database/index.ts';
import { newId, type Clock } from '#kit/index.ts';

interface BudgetDeps {
  database: Pick<Database, 'system' | 'transaction'>;
  clock: Clock;
  /** USD as a decimal: what one creator may spend of the operator's key in a day, by UTC. */
  dailyUsd: string;
}

/** Set aside for a run whose cost nobody can quote. */
const UNKNOWN_WORST_USD = '0.1';
const DAY_MS = 86_400_000;
const KEEP_DAYS = 35;
const KEEP_MS = 2_000;
/** After a run that did not fit: what is said to have room must not be refused call after call. */
const KEEP_FULL_MS = 60_000;
const MAX_ENTRIES = 5_000;

// A run that has not ended counts at its worst: a limit on what has ended only is passed by doing everything at once.
const SPENT = `SELECT coalesce(sum(coalesce(cost_usd, reserved_usd)), 0)::text AS usd
  FROM platform_key_uses WHERE owner_id = $1 AND day = $2`;

/**
 * What each creator spends of the operator's key, counted over all processes. Reservations of one creator take turns, so
 * that no two see the same room. `hasRoom` is from memory for a moment; `reserve` decides.
 */
export function openPlatformBudget({ database, clock, dailyUsd }: BudgetDeps) {
  const spent = new Map<string, { usd: Promise<Big>; until: number }>();
  const today = (): string => new Date(clock.now()).toISOString().slice(0, 10);
  const read = async (ownerId: string): Promise<Big> => {
    const { rows } = await database.system.query<{ usd: string }>(SPENT, [ownerId, today()]);
    return new Big(rows[0]?.usd ?? 0);
  };
  const recall = (ownerId: string): Promise<Big> => {
    const known = spent.get(ownerId);
    if (known && known.until > clock.now()) {
      return known.usd;
    }
    const usd = read(ownerId);
    spent.delete(ownerId);
    spent.set(ownerId, { usd, until: clock.now() + KEEP_MS });
    usd.catch(() => spent.delete(ownerId));
    const [oldest] = spent.keys();
    if (spent.size > MAX_ENTRIES && oldest !== undefined) {
      spent.delete(oldest);
    }
    return usd;
  };
  return {
    dailyUsd,
    retryAfterSeconds: () => Math.ceil((DAY_MS - (clock.now() % DAY_MS)) / 1000),
    hasRoom: async (ownerId: string, worstUsd: string | null): Promise<boolean> =>
      worstUsd === null ? (await recall(ownerId)).lt(dailyUsd) : (await recall(ownerId)).plus(worstUsd).lte(dailyUsd),
    reserve: async (ownerId: string, worstUsd: string | null): Promise<string | null> => {
      const id = newId();
      const worst = worstUsd ?? UNKNOWN_WORST_USD;
      const isReserved = await database.transaction(async (tx) => {
        await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 27))', [ownerId]);
        const { rows } = await tx.query<{ usd: string }>(SPENT, [ownerId, today()]);
        if (new Big(rows[0]?.usd ?? 0).plus(worst).gt(dailyUsd)) {
          return false;
        }
        await tx.query('INSERT INTO platform_key_uses (id, owner_id, day, reserved_usd) VALUES ($1, $2, $3, $4)', [
          id,
          ownerId,
          today(),
          worst,
        ]);
        return true;
      });
      spent.delete(ownerId);
      if (!isReserved) {
        spent.set(ownerId, { usd: Promise.resolve(new Big(dailyUsd)), until: clock.now() + KEEP_FULL_MS });
      }
      return isReserved ? id : null;
    },
    close: async (reservationId: string, costUsd: string | null): Promise<void> => {
      if (costUsd !== null) {
        await database.system.query('UPDATE platform_key_uses SET cost_usd = $2 WHERE id = $1', [
          reservationId,
          costUsd,
        ]);
      }
    },
    /** Days that no limit asks for any more. */
    forgetOld: async (): Promise<void> => {
      const before = new Date(clock.now() - KEEP_DAYS * DAY_MS).toISOString().slice(0, 10);
      await database.system.query('DELETE FROM platform_key_uses WHERE day < $1', [before]);
    },
  };
}
