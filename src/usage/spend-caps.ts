import type { Tx } from '#database/index.ts';

export type Executor = Pick<Tx, 'query'>;

/** What creators are willing to spend a day, counted over all processes by the database (docs/decisions/0046). */
export interface SpendCap {
  capId: string;
  scope: 'key' | 'resource' | 'payer';
  /** Whom it counts for: the id of a resource, the address of a wallet; '' of the key. */
  subject: string;
  /** It bounds each resource, or each wallet, by itself. */
  isEach: boolean;
  perDayUsd: string;
}

/** How much of a cap is taken today, by UTC. */
export interface CapUse extends SpendCap {
  ownerId: string;
  /** `YYYY-MM-DD` */
  day: string;
  /** What it counts in all, USD. */
  spentUsd: string;
  resetsAt: string;
}

export interface HeldCall {
  callId: string;
  ownerId: string;
  resourceId: string;
  /** Null where nobody pays. */
  payer: string | null;
  worstUsd: string;
}

export const SHOWN = `
  cap.id AS "capId", cap.scope, cap.subject = '*' AS "isEach", trim_scale(cap.per_day_usd)::text AS "perDayUsd"`;
const TODAY = `(now() AT TIME ZONE 'UTC')::date`;

/** Calls that are not run after all. */
export async function releaseSpend(executor: Executor, callIds: readonly string[]): Promise<void> {
  await executor.query({ name: 'usage-release-spend', text: 'SELECT release_spend($1)', values: [callIds] });
}

const FULL = `
  SELECT ${SHOWN}, own.counted_for AS subject
  FROM spend_caps_of($1, $2, NULL) AS own JOIN spend_caps cap ON cap.id = own.cap_id
  LEFT JOIN spend_days counted
    ON counted.cap_id = own.cap_id AND counted.subject = own.counted_for AND counted.day = ${TODAY}
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

const USE = `
  cap.owner_id AS "ownerId", ${SHOWN}, to_char(${TODAY}, 'YYYY-MM-DD') AS day,
  to_char(${TODAY} + 1, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS "resetsAt",
  trim_scale(coalesce(counted.usd, 0))::text AS "spentUsd"`;

/** What is not in the log yet is under way. */
const READ = `
  SELECT ${USE}, $2 AS subject, (
    SELECT trim_scale(coalesce(sum(run.usd), 0))::text FROM spend_runs run
    WHERE run.cap_id = cap.id AND run.subject = $2 AND run.day = ${TODAY}
      AND NOT EXISTS (SELECT FROM x402_prompt_template_usage_logs logged WHERE logged.call_id = run.call_id)
  ) AS "heldUsd"
  FROM spend_caps cap LEFT JOIN spend_days counted
    ON counted.cap_id = cap.id AND counted.subject = $2 AND counted.day = ${TODAY}
  WHERE cap.id = $1 AND cap.per_day_usd = $3`;

/** Today's use of a cap, and what of it calls under way hold; null where it is another number meanwhile, or none. */
export async function readCapUse(
  system: Executor,
  { capId, subject, perDayUsd }: Pick<SpendCap, 'capId' | 'subject' | 'perDayUsd'>,
): Promise<(CapUse & { heldUsd: string }) | null> {
  const { rows } = await system.query<CapUse & { heldUsd: string }>(READ, [capId, subject, perDayUsd]);
  return rows[0] ?? null;
}

const NEAR = `
  SELECT ${USE}, counted.subject FROM spend_caps cap
  JOIN spend_days counted ON counted.cap_id = cap.id AND counted.day = ${TODAY}
  WHERE counted.usd >= cap.per_day_usd * $1::numeric AND cap.per_day_usd > 0 AND NOT (cap.scope = 'payer' AND cap.subject = '*')`;

/** Caps of which at least this part is taken today. Wallets that are not named are no news before they are refused. */
export async function listUsedCaps(system: Executor, leastPart: string): Promise<CapUse[]> {
  return (await system.query<CapUse>(NEAR, [leastPart])).rows;
}
