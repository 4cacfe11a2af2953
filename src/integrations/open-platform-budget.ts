import { Big } from 'big.js';
import type { Database, Tx } from '#database/index.ts';
import { newId, type Clock } from '#kit/index.ts';
import { DAY_MS, toDay } from './platform-day.ts';

interface BudgetDeps {
  database: Pick<Database, 'system'>;
  clock: Clock;
  /** USD as a decimal: what one creator may spend of the operator's key in a day, by UTC. */
  dailyUsd: string;
}

interface BudgetedCall {
  callId: string;
  /** USD as a decimal. */
  worstUsd: string;
}

const KEEP_DAYS = 35;
const KEEP_MS = 2_000;
/** After a run that did not fit: what is said to have room must not be refused call after call. */
const KEEP_FULL_MS = 60_000;
const MAX_ENTRIES = 5_000;

const SPENT = `SELECT (spent_usd + reserved_usd)::text AS usd FROM platform_key_days WHERE owner_id = $1 AND day = $2`;

// A run that has not ended counts at its worst: a limit on what has ended only is passed by doing everything at once. The
// row of the day is locked by its change, so of runs that begin at once each sees those before it.
const HOLD = `
  WITH held AS (
    INSERT INTO platform_key_days AS day (owner_id, day, reserved_usd)
    SELECT $2, $3, $4::numeric WHERE $4::numeric <= $5::numeric
    ON CONFLICT (owner_id, day) DO UPDATE SET reserved_usd = day.reserved_usd + excluded.reserved_usd
      WHERE day.spent_usd + day.reserved_usd + excluded.reserved_usd <= $5::numeric
    RETURNING 1
  )
  INSERT INTO platform_key_runs (id, call_id, owner_id, day, reserved_usd, has_begun)
  SELECT $1, $6, $2, $3, $4::numeric, $7 FROM held`;

const BEGIN = `
  UPDATE platform_key_runs SET has_begun = true WHERE call_id = $1 AND day = $2 AND NOT has_begun RETURNING id`;

const toClose = (which: string): string => `
  WITH ended AS (DELETE FROM platform_key_runs WHERE ${which} RETURNING owner_id, day, reserved_usd)
  UPDATE platform_key_days AS day
  SET reserved_usd = day.reserved_usd - ended.reserved_usd,
      spent_usd = day.spent_usd + $2::numeric
  FROM ended WHERE day.owner_id = ended.owner_id AND day.day = ended.day`;
/** Nobody knows yet: counted at its worst until it is told. */
const CLOSE_UNKNOWN = `
  WITH ended AS (UPDATE platform_key_runs SET is_cost_unknown = true WHERE id = $1 AND NOT is_cost_unknown
    RETURNING owner_id, day, reserved_usd)
  UPDATE platform_key_days AS day
  SET reserved_usd = day.reserved_usd - ended.reserved_usd, spent_usd = day.spent_usd + ended.reserved_usd
  FROM ended WHERE day.owner_id = ended.owner_id AND day.day = ended.day`;

const CORRECT = `
  WITH known AS (
    DELETE FROM platform_key_runs WHERE id = (
      SELECT id FROM platform_key_runs WHERE call_id = $1 AND is_cost_unknown ORDER BY id LIMIT 1 FOR UPDATE)
    RETURNING owner_id, day, reserved_usd)
  UPDATE platform_key_days AS day SET spent_usd = greatest(day.spent_usd - known.reserved_usd + $2::numeric, 0)
  FROM known WHERE day.owner_id = known.owner_id AND day.day = known.day`;
const CLOSE = toClose('id = $1');
const RELEASE = toClose('call_id = $1 AND NOT has_begun');

/**
 * What each creator spends of the operator's key, counted over all processes in one row a day. `hasRoom` is from memory for a
 * moment; `hold` and `reserve` decide. What a process had reserved when it died stays counted for that day.
 */
export function openPlatformBudget({ database, clock, dailyUsd }: BudgetDeps) {
  const spent = new Map<string, { usd: Promise<Big>; until: number }>();
  const read = async (ownerId: string): Promise<Big> => {
    const { rows } = await database.system.query<{ usd: string }>(SPENT, [ownerId, toDay(clock.now())]);
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
  const take = async (
    ownerId: string,
    { callId, worstUsd }: BudgetedCall,
    { hasBegun }: { hasBegun: boolean },
  ): Promise<string | null> => {
    const id = newId();
    const values = [id, ownerId, toDay(clock.now()), worstUsd, dailyUsd, callId, hasBegun];
    const isHeld = (await database.system.query(HOLD, values)).rowCount === 1;
    spent.delete(ownerId);
    if (!isHeld) {
      spent.set(ownerId, { usd: Promise.resolve(new Big(dailyUsd)), until: clock.now() + KEEP_FULL_MS });
    }
    return isHeld ? id : null;
  };
  return {
    dailyUsd,
    retryAfterSeconds: () => Math.ceil((DAY_MS - (clock.now() % DAY_MS)) / 1000),
    hasRoom: async (ownerId: string, worstUsd: string): Promise<boolean> =>
      (await recall(ownerId)).plus(worstUsd).lte(dailyUsd),
    hold: async (ownerId: string, call: BudgetedCall): Promise<boolean> =>
      (await take(ownerId, call, { hasBegun: false })) !== null,
    release: async (callId: string): Promise<void> => {
      await database.system.query(RELEASE, [callId, '0']);
    },
    reserve: async (ownerId: string, call: BudgetedCall): Promise<string | null> => {
      const { rows } = await database.system.query<{ id: string }>(BEGIN, [call.callId, toDay(clock.now())]);
      return rows[0]?.id ?? take(ownerId, call, { hasBegun: true });
    },
    close: async (reservationId: string, costUsd: string | null): Promise<void> => {
      await (costUsd === null
        ? database.system.query(CLOSE_UNKNOWN, [reservationId])
        : database.system.query(CLOSE, [reservationId, costUsd]));
    },
    correct: async (tx: Pick<Tx, 'query'>, callId: string, costUsd: string): Promise<void> => {
      await tx.query(CORRECT, [callId, costUsd]);
    },
    /** Days that no limit asks for any more, and what was lost in them. */
    forgetOld: async (): Promise<void> => {
      const before = toDay(clock.now() - KEEP_DAYS * DAY_MS);
      await database.system.query('DELETE FROM platform_key_runs WHERE day < $1', [before]);
      await database.system.query('DELETE FROM platform_key_days WHERE day < $1', [before]);
    },
  };
}
