import type { Tx } from '#database/index.ts';

type Executor = Pick<Tx, 'query'>;

/** What creators are willing to spend a day, counted over all processes by the database (docs/decisions/0046). */
export interface SpendCap {
  scope: 'key' | 'resource' | 'payer';
  perDayUsd: string;
}

interface HeldCall {
  callId: string;
  ownerId: string;
  resourceId: string;
  /** Null where nobody pays. */
  payer: string | null;
  worstUsd: string;
}

const HOLD = `
  SELECT cap.scope, trim_scale(cap.per_day_usd)::text AS "perDayUsd"
  FROM hold_spend($1, $2, $3, $4, $5) AS full_cap LEFT JOIN spend_caps cap ON cap.id = full_cap`;

/** Sets the worst case of a call aside under all caps that it counts for; otherwise tells the one that has no room for it. */
export async function holdSpend(system: Executor, call: HeldCall): Promise<SpendCap | null> {
  const values = [call.callId, call.ownerId, call.resourceId, call.payer, call.worstUsd];
  const { rows } = await system.query<SpendCap | { scope: null }>({ name: 'usage-hold-spend', text: HOLD, values });
  const [found] = rows;
  return found && found.scope !== null ? found : null;
}

/** Calls that are not run after all. */
export async function releaseSpend(executor: Executor, callIds: readonly string[]): Promise<void> {
  await executor.query({ name: 'usage-release-spend', text: 'SELECT release_spend($1)', values: [callIds] });
}

const FULL = `
  SELECT cap.scope, trim_scale(cap.per_day_usd)::text AS "perDayUsd"
  FROM spend_caps_of($1, $2, NULL) AS own JOIN spend_caps cap ON cap.id = own.cap_id
  LEFT JOIN spend_days counted
    ON counted.cap_id = own.cap_id AND counted.subject = own.counted_for AND counted.day = (now() AT TIME ZONE 'UTC')::date
  WHERE coalesce(counted.usd, 0) + $3::numeric > own.most LIMIT 1`;

/** A cap of the key or the resource that leaves no room for one more call now, whoever pays it. */
export async function findFullCap(
  system: Executor,
  { ownerId, resourceId, worstUsd }: Omit<HeldCall, 'callId' | 'payer'>,
): Promise<SpendCap | null> {
  const { rows } = await system.query<SpendCap>({
    name: 'usage-full-cap',
    text: FULL,
    values: [ownerId, resourceId, worstUsd],
  });
  return rows[0] ?? null;
}
