import { z } from 'zod';
import type { InTransaction, Tx } from '#database/index.ts';
import { assertUser, operation, type Caller } from '#kit/index.ts';

export const spendCap = z.object({
  id: z.uuid(),
  scope: z
    .enum(['key', 'resource', 'payer'])
    .describe('All that runs on your own keys; one resource; the calls that one wallet pays.'),
  subject: z
    .string()
    .describe('The id of a resource, the address of a wallet, or "*": each of them by itself. "" of the key.'),
  perDayUsd: z.string(),
  spentUsd: z
    .string()
    .nullable()
    .describe(
      'Today, by UTC: costs of calls that have ended, and the most that those under way may cost. Null of "*".',
    ),
  resetsAt: z.iso.datetime(),
});

const SQL = `
  SELECT cap.id, cap.scope, cap.subject, trim_scale(cap.per_day_usd)::text AS "perDayUsd",
    CASE WHEN cap.subject <> '*' THEN trim_scale(coalesce(counted.usd, 0))::text END AS "spentUsd",
    to_char(date_trunc('day', now() AT TIME ZONE 'UTC') + interval '1 day', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS "resetsAt"
  FROM spend_caps cap LEFT JOIN spend_days counted
    ON counted.cap_id = cap.id AND counted.subject = cap.subject AND counted.day = (now() AT TIME ZONE 'UTC')::date
  WHERE cap.owner_id = $1 AND ($2::uuid IS NULL OR cap.id = $2) ORDER BY cap.scope, cap.subject`;

export async function readSpendCaps(tx: Tx, ownerId: string, id?: string): Promise<z.input<typeof spendCap>[]> {
  return (await tx.query<z.input<typeof spendCap>>(SQL, [ownerId, id])).rows;
}

export const listSpendCaps = operation({
  name: 'usage.spend_caps.list',
  route: 'GET /api/user/spend-caps',
  summary: 'What you are willing to spend a day, and what is spent of it today',
  scope: 'usage:read',
  input: z.object({}),
  output: z.object({ items: z.array(spendCap) }),
  run: async ({ tx }: InTransaction, caller: Caller) => {
    assertUser(caller);
    return { items: await readSpendCaps(tx, caller.userId) };
  },
});
