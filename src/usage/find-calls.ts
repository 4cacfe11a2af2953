import { z } from 'zod';
import type { Tx } from '#database/index.ts';
import type { UsageFilters } from './usage-filters.ts';

/** A call as its creator sees it: with cause, cost and margin. Amounts are exact decimal strings. */
export const loggedCall = z.object({
  callId: z.uuid(),
  resourceId: z.uuid(),
  versionId: z.uuid(),
  version: z.int(),
  at: z.iso.datetime(),
  status: z.enum(['success', 'failed', 'refused', 'unpaid', 'owed']),
  problem: z.string().nullable(),
  cause: z.string().nullable(),
  payer: z.string().nullable(),
  requestId: z.string(),
  model: z.string().nullable(),
  provider: z.string().nullable(),
  generationId: z.string().nullable(),
  inputTokens: z.int().nullable(),
  outputTokens: z.int().nullable(),
  finishReason: z.string().nullable(),
  latencyMs: z.int().nullable(),
  firstOutputMs: z.int().nullable(),
  attempts: z.int().nullable(),
  /** What the kind of resource tells of the run. */
  evidence: z.record(z.string(), z.unknown()),
  earnedUsdc: z.string(),
  /** What the run cost, whoever's key paid. */
  costUsd: z.string().nullable(),
  /** `asked`: it, or a part of it, was not told with the answer and is asked for; `found`: told later; `unknown`: not told within a day. */
  costState: z.enum(['asked', 'found', 'unknown']).nullable(),
  /** What the catalogue's prices let expect before the call; null where nobody knew. */
  expectedCostUsd: z.string().nullable(),
  /** The most that it could have cost by these prices. */
  worstCostUsd: z.string().nullable(),
  /** Whose key paid; null where none was used or nobody noted it. */
  keySource: z.enum(['own', 'platform']).nullable(),
  /** What of it fell to the operator's key. */
  platformCostUsd: z.string().nullable(),
  /** Earned minus what fell to the creator's own key, one USDC taken as one dollar; null where the cost is not known. */
  marginUsd: z.string().nullable(),
  /** What it would be charged by what it used, by its version's rule; null: not measured, or something that counts is not known. */
  measuredUsdc: z.string().nullable(),
  network: z.string().nullable(),
  transaction: z.string().nullable(),
  isTest: z.boolean(),
  isSimulated: z.boolean(),
  isFree: z.boolean(),
});

export type LoggedCall = z.output<typeof loggedCall>;

/** Where a page of the log, newest first, goes on. */
export interface Position {
  at: string;
  callId: string;
}

const SQL = `
SELECT call_id AS "callId", resource_id AS "resourceId", version_id AS "versionId", version, at, status, problem, cause,
       payer, request_id AS "requestId", model, provider, generation_id AS "generationId",
       input_tokens::float8 AS "inputTokens", output_tokens::float8 AS "outputTokens", finish_reason AS "finishReason",
       latency_ms::float8 AS "latencyMs", first_output_ms::float8 AS "firstOutputMs", attempts, evidence,
       trim_scale(earned)::text AS "earnedUsdc", trim_scale(cost_usd)::text AS "costUsd", cost_state AS "costState",
       trim_scale(expected_cost_usd)::text AS "expectedCostUsd", evidence->>'worstCostUsd' AS "worstCostUsd", key_source AS "keySource",
       trim_scale(CASE WHEN key_source = 'platform' THEN cost_usd ELSE cost_usd * 0 END)::text AS "platformCostUsd",
       trim_scale(CASE WHEN key_source = 'platform' THEN earned ELSE earned - cost_usd END)::text AS "marginUsd",
       trim_scale(CASE WHEN measured_by IS NULL OR worth IS NULL THEN NULL WHEN status IN ('success', 'owed')
         THEN least((measured_by->>'maxUsdc')::numeric, ceil(worth * 1000000) / 1000000) ELSE 0 END)::text AS "measuredUsdc",
       network, transaction,
       is_test AS "isTest", is_simulated AS "isSimulated", is_free AS "isFree"
FROM x402_prompt_template_usage_logs
CROSS JOIN LATERAL (SELECT CASE WHEN transaction IS NULL THEN 0 ELSE amount_atomic * 0.000001 END) AS money (earned)
CROSS JOIN LATERAL (SELECT (measured_by->>'baseUsdc')::numeric
  + CASE WHEN (measured_by->>'perCostUsd')::numeric = 0 THEN 0 ELSE (measured_by->>'perCostUsd')::numeric * cost_usd END
  + CASE WHEN (measured_by->>'perInputToken')::numeric = 0 THEN 0 ELSE (measured_by->>'perInputToken')::numeric * input_tokens END
  + CASE WHEN (measured_by->>'perOutputToken')::numeric = 0 THEN 0 ELSE (measured_by->>'perOutputToken')::numeric * output_tokens END
  ) AS used (worth)
WHERE owner_id = app_user_id()
  AND ($1::uuid IS NULL OR resource_id = $1)
  AND ($2::text IS NULL OR status = $2)
  AND ($3::timestamptz IS NULL OR at >= $3)
  AND ($4::timestamptz IS NULL OR at < $4)
  AND ($5::text IS NULL OR payer = $5)
  AND ($6::boolean IS NULL OR is_test = $6)
  AND ($7::text IS NULL OR problem = $7)
  AND ($8::text IS NULL OR model = $8)
  AND ($9::timestamptz IS NULL OR (at, call_id) < ($9, $10::uuid))
ORDER BY at DESC, call_id DESC
LIMIT $11`;

export interface CallQuery {
  filters: UsageFilters;
  after: Position | null;
  limit: number;
}

/** Newest first. `tx` acts for one user: row-level security and the statement itself show only that creator's calls. */
export async function findCalls(tx: Tx, query: CallQuery): Promise<LoggedCall[]> {
  const { filters, after } = query;
  const { rows } = await tx.query<Omit<LoggedCall, 'at'> & { at: Date }>(SQL, [
    filters.resourceId,
    filters.status,
    filters.from,
    filters.to,
    filters.payer,
    filters.isTest,
    filters.problem,
    filters.model,
    after?.at,
    after?.callId,
    query.limit,
  ]);
  return rows.map((row) => ({ ...row, at: row.at.toISOString() }));
}
