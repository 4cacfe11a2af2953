import { z } from 'zod';
import type { InTransaction, Tx } from '#database/index.ts';
import { assertUser, operation, usdAmount, type Caller } from '#kit/index.ts';
import { isOver } from './read-standing.ts';
import { trustLimits } from './trust-limits.ts';

const output = z.object({
  maxTrustUsdPerDay: usdAmount.describe(
    'The most that unpaid work and runs that fail may cost you in any 24 hours, by the worst cost of each call. Beyond it calls are paid before they run. "0": always.',
  ),
  openUsd: z.string().describe('Work that is under way and not paid yet'),
  lostUsd: z
    .string()
    .describe('Work of the last 24 hours whose payment failed, or that failed itself after it had cost something'),
});

export const getTrust = operation({
  name: 'account.trust.get',
  route: 'GET /api/user/trust',
  summary: 'How much work your resources do before it is paid',
  scope: 'resources:read',
  input: z.object({}),
  output,
  run: (deps: InTransaction, caller: Caller) => readTrust(deps, caller),
});

export const putTrust = operation({
  name: 'account.trust.put',
  route: 'PUT /api/user/trust',
  summary: 'Choose how much unpaid work may cost you a day; "0" has every call paid before it runs',
  scope: 'resources:write',
  input: output.pick({ maxTrustUsdPerDay: true }),
  output,
  run: async (deps: InTransaction, caller: Caller, { maxTrustUsdPerDay }) => {
    assertUser(caller);
    await deps.tx.query(
      `INSERT INTO trust_limits (owner_id, max_usd_per_day) VALUES ($1, $2)
       ON CONFLICT (owner_id) DO UPDATE SET max_usd_per_day = excluded.max_usd_per_day, updated_at = now()`,
      [caller.userId, maxTrustUsdPerDay],
    );
    return readTrust(deps, caller);
  },
});

const select = `
  SELECT trim_scale(coalesce((SELECT max_usd_per_day FROM trust_limits WHERE owner_id = $1), $2::numeric))::text AS "maxTrustUsdPerDay",
    trim_scale(coalesce(sum(trust_usd) FILTER (WHERE state IN ('running', 'settling', 'pending')), 0))::text AS "openUsd",
    trim_scale(coalesce(sum(trust_usd) FILTER (WHERE ${isOver}), 0))::text AS "lostUsd"
  FROM calls
  WHERE owner_id = $1 AND trust_usd IS NOT NULL
    AND (state IN ('running', 'settling', 'pending') OR (${isOver} AND updated_at > now() - interval '1 day'))`;

/** Calls belong to their buyers, so no creator reads them: their sums are read by the system. */
async function readTrust(
  { asSystem }: Pick<InTransaction, 'asSystem'>,
  caller: Caller,
): Promise<z.input<typeof output>> {
  assertUser(caller);
  const read = (tx: Tx) => tx.query<z.input<typeof output>>(select, [caller.userId, trustLimits.usdPerDay]);
  const { rows } = await asSystem(read);
  return rows[0] as z.input<typeof output>;
}
