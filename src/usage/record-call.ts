import type { Json } from '#kit/index.ts';

/** What a call is worth is a sum of these factors times what is known of it, and `maxUsdc` at most. Decimals. */
export interface MeasuredBy {
  baseUsdc: string;
  perCostUsd: string;
  perInputToken: string;
  perOutputToken: string;
  maxUsdc: string;
}

/** One attempt to buy an answer, as the log keeps it. */
export interface CallRecord {
  callId: string;
  resourceId: string;
  versionId: string;
  version: number;
  /** The creator. */
  ownerId: string;
  /** Lower-case address; null when nobody paid. */
  payer: string | null;
  callerUserId: string | null;
  requestId: string;
  /**
   * `unpaid`: the answer was there and the settlement was refused. `refused`: nothing ran. `owed`: paid and not delivered
   * yet; recording the call again says how that ended.
   */
  status: 'success' | 'failed' | 'refused' | 'unpaid' | 'owed';
  /** The public problem code. */
  problem: string | null;
  /** Why, in words for the creator only. */
  cause: string | null;
  latencyMs: number | null;
  /** How often the upstream was asked. */
  attempts: number;
  firstOutputMs: number | null;
  /** Decimal string. */
  costUsd: string | null;
  /** Whose key that cost fell to: the creator's own or the operator's. */
  keySource?: 'own' | 'platform' | null;
  /** What the kind of resource tells of the run; `model`, tokens and the like become columns where it has them. */
  evidence: { [name: string]: Json };
  /** What was settled; 0n when nothing was. */
  amountAtomic: bigint;
  network: string | null;
  transaction: string | null;
  isTest: boolean;
  isSimulated: boolean;
  isFree: boolean;
  /** By what rule its use is measured; absent: it is not. */
  measuredBy?: MeasuredBy;
  /** False: a refused call that is logged and is no failure of the resource. */
  isCounted?: boolean;
  at: Date;
}

/** A pool, or the connection of the transaction that the record belongs to. */
export interface SqlExecutor {
  query(statement: { name: string; text: string; values: unknown[] }): Promise<unknown>;
}

const TEXT_LIMIT = 300;
const CAUSE_LIMIT = 2000;
/** Of PostgreSQL's int. */
const MAX_INT = 2_147_483_647;
/** With or without an exponent, as JSON writes numbers. */
const DECIMAL = /^\d{1,20}(\.\d{1,60})?(e[+-]?\d{1,2})?$/i;

type Column = (typeof columns)[number];
export const columns = [
  'call_id',
  'resource_id',
  'version_id',
  'version',
  'owner_id',
  'payer',
  'caller_user_id',
  'request_id',
  'status',
  'problem',
  'cause',
  'model',
  'provider',
  'generation_id',
  'input_tokens',
  'output_tokens',
  'cost_usd',
  'latency_ms',
  'first_output_ms',
  'finish_reason',
  'amount_atomic',
  'network',
  'transaction',
  'is_test',
  'is_simulated',
  'is_free',
  'at',
  'attempts',
  'evidence',
  'expected_cost_usd',
  'key_source',
  'measured_by',
  'cost_state',
] as const;

/** The statistics of what has been recorded just now; `isCounted`: of the refused calls. */
export const countEnded = (isCounted: string): string => `
INSERT INTO usage_pending (resource_id, day, success_count, failure_count, unpaid_count, earned_atomic, called_at)
SELECT resource_id, (at AT TIME ZONE 'UTC')::date, (status = 'success')::int, (status IN ('failed', 'refused'))::int,
       (status = 'unpaid')::int, CASE WHEN transaction IS NULL THEN 0 ELSE amount_atomic END, at
FROM recorded
WHERE status <> 'owed'
  AND (status <> 'refused' OR ${isCounted} AND problem = 'unavailable' AND (payer IS NOT NULL OR is_free))
  AND NOT is_test AND caller_user_id IS DISTINCT FROM owner_id`;

// Tests, the owner's own calls and owed calls are logged and count in no statistic. A refused call counts as a failure where
// the resource could not run for somebody who wanted the answer; where the payment was refused, or nobody
// meant to pay, not.
// A call that is paid after all no longer counts as what it was before, and nothing takes a booked payment back. What its
// runs have cost adds up; a call that went unpaid is logged anew with the run that it had.
const sql = `
WITH former AS (SELECT * FROM x402_prompt_template_usage_logs WHERE call_id = $1),
recorded AS (
  INSERT INTO x402_prompt_template_usage_logs AS logged (${columns.join(', ')})
  VALUES (${columns.map((_, index) => `$${index + 1}`).join(', ')})
  ON CONFLICT (call_id) DO UPDATE SET
    status = excluded.status, problem = excluded.problem, cause = excluded.cause, at = excluded.at,
    amount_atomic = excluded.amount_atomic, transaction = excluded.transaction,
    cost_usd = CASE WHEN logged.status = 'unpaid' THEN coalesce(excluded.cost_usd, logged.cost_usd)
      ELSE coalesce(logged.cost_usd + excluded.cost_usd, excluded.cost_usd, logged.cost_usd) END,
    attempts = CASE WHEN logged.status = 'unpaid' THEN greatest(excluded.attempts, logged.attempts)
      ELSE least(coalesce(logged.attempts, 0)::bigint + coalesce(excluded.attempts, 0), 2147483647)::int END,
    model = coalesce(excluded.model, logged.model), provider = coalesce(excluded.provider, logged.provider),
    generation_id = coalesce(excluded.generation_id, logged.generation_id),
    input_tokens = coalesce(excluded.input_tokens, logged.input_tokens),
    output_tokens = coalesce(excluded.output_tokens, logged.output_tokens),
    latency_ms = coalesce(excluded.latency_ms, logged.latency_ms),
    first_output_ms = coalesce(excluded.first_output_ms, logged.first_output_ms),
    finish_reason = coalesce(excluded.finish_reason, logged.finish_reason),
    is_simulated = excluded.is_simulated OR logged.is_simulated,
    evidence = logged.evidence || jsonb_strip_nulls(excluded.evidence),
    expected_cost_usd = coalesce(excluded.expected_cost_usd, logged.expected_cost_usd),
    key_source = coalesce(excluded.key_source, logged.key_source),
    measured_by = coalesce(excluded.measured_by, logged.measured_by),
    cost_state = CASE WHEN excluded.cost_state = 'asked' AND NOT EXISTS (SELECT FROM usage_cost_lookups known
      WHERE known.call_id = excluded.call_id AND known.generation_id = excluded.generation_id)
      THEN 'asked' ELSE logged.cost_state END
  WHERE excluded.transaction IS NOT NULL
    AND (logged.status = 'owed'
      OR (logged.status IN ('failed', 'refused', 'unpaid') AND logged.transaction IS NULL
          AND excluded.status IN ('owed', 'success')))
  RETURNING *),
asked AS (
  INSERT INTO usage_cost_lookups (call_id, generation_id, owner_id, key_source)
  SELECT call_id, generation_id, owner_id, key_source FROM recorded
  WHERE $${columns.indexOf('cost_state') + 1} = 'asked'
  ON CONFLICT DO NOTHING)
${countEnded(`$${columns.length + 1}`)}
UNION ALL
SELECT former.resource_id, (former.at AT TIME ZONE 'UTC')::date, 0, -(former.status = 'failed')::int,
       -(former.status = 'unpaid')::int, 0, former.at
FROM former JOIN recorded USING (call_id)
WHERE former.status IN ('failed', 'unpaid') AND NOT former.is_test
  AND former.caller_user_id IS DISTINCT FROM former.owner_id`;

/**
 * Writes the call into the log and into the statistics, in one statement. Recording the same call again changes nothing,
 * but for a call that was owed, or that was not paid when it ended and is now: costs and attempts are added up then, and
 * of the rest the newest that is known stays. What an upstream said (names, counts, costs) is cut to size: it must never
 * fail the caller's transaction.
 */
export async function recordCall(executor: SqlExecutor, record: CallRecord): Promise<void> {
  const row = toRow(record);
  const values = columns.map((column) => {
    const value = row[column];
    return value !== null && typeof value === 'object' ? JSON.stringify(value) : value;
  });
  await executor.query({ name: 'usage-record-call', text: sql, values: [...values, record.isCounted ?? true] });
}

/** What the log keeps of a call, by its columns. */
export function toRow(record: CallRecord): Record<Column, Json> {
  const { evidence } = record;
  return {
    call_id: record.callId,
    resource_id: record.resourceId,
    version_id: record.versionId,
    version: record.version,
    owner_id: record.ownerId,
    payer: toText(record.payer),
    caller_user_id: toText(record.callerUserId),
    request_id: toText(record.requestId) ?? '',
    status: record.status,
    problem: toText(record.problem),
    cause: toText(record.cause, CAUSE_LIMIT),
    model: toText(evidence['modelId']) ?? toText(evidence['model']),
    provider: toText(evidence['provider']),
    generation_id: toText(evidence['generationId']),
    input_tokens: toCount(evidence['inputTokens']),
    output_tokens: toCount(evidence['outputTokens']),
    cost_usd: toDecimal(record.costUsd),
    latency_ms: toCount(record.latencyMs),
    first_output_ms: toCount(record.firstOutputMs),
    finish_reason: toText(evidence['finishReason']),
    amount_atomic: record.amountAtomic.toString(),
    network: toText(record.network),
    transaction: toText(record.transaction),
    is_test: record.isTest,
    is_simulated: record.isSimulated,
    is_free: record.isFree,
    at: record.at.toISOString(),
    attempts: toCount(record.attempts, MAX_INT),
    evidence: toStorable(evidence),
    expected_cost_usd: toDecimal(evidence['expectedCostUsd']),
    key_source: record.keySource ?? null,
    measured_by: record.measuredBy ? { ...record.measuredBy } : null,
    cost_state: isCostToBeAsked(record) ? 'asked' : null,
  };
}

/** Only generations of OpenRouter can be asked for. Of two turns that made one answer it would tell one. */
function isCostToBeAsked({ costUsd, evidence }: CallRecord): boolean {
  const { generationId, isRepaired } = evidence;
  return toDecimal(costUsd) === null && isRepaired !== true && (toText(generationId)?.startsWith('gen-') ?? false);
}

function toText(value: Json | undefined, limit = TEXT_LIMIT): string | null {
  // PostgreSQL refuses the NUL character in text.
  return typeof value === 'string' ? value.slice(0, limit).replaceAll('\0', '').toWellFormed() : null;
}

/** The same for JSON, the names in it included. */
function toStorable(value: Json): Json {
  if (Array.isArray(value)) {
    return value.map(toStorable);
  }
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [toText(name) ?? '', toStorable(item)]));
  }
  return typeof value === 'string' ? toText(value) : value;
}

function toDecimal(value: Json | undefined): string | null {
  return typeof value === 'string' && DECIMAL.test(value) ? value : null;
}

function toCount(value: Json | undefined, limit = Number.MAX_SAFE_INTEGER): number | null {
  return typeof value !== 'number' || !Number.isFinite(value) || value < 0 ? null : Math.min(Math.round(value), limit);
}
