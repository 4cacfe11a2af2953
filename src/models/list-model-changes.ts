import { z } from 'zod';
import type { InTransaction } from '#database/index.ts';
import { operation, type Caller } from '#kit/index.ts';
import { changeKinds } from './apply-catalogue.ts';

const input = z.object({
  model: z
    .string()
    .max(200)
    .regex(/^[^\0]*$/, 'Must not hold the NUL character')
    .optional()
    .describe('Only the changes of this model id'),
  kind: z.enum(changeKinds).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: z
    .string()
    .regex(/^\d{1,18}$/, 'Expected the nextCursor of an earlier answer')
    .optional(),
});
const change = z.object({
  id: z.string(),
  openrouterId: z.string(),
  kind: z.enum(changeKinds),
  before: z.unknown(),
  after: z.unknown(),
  syncId: z.uuid(),
  at: z.string(),
});
const output = z.object({ items: z.array(change), nextCursor: z.string().nullable() });

export const listModelChanges = operation({
  name: 'models.changes',
  route: 'GET /api/models/changes',
  summary: 'List additions, removals, price, capability and expiry changes of AI models, newest first',
  scope: 'public',
  input,
  output,
  run: async ({ tx }: InTransaction, _caller: Caller, { model, kind, limit, cursor }) => {
    const { rows } = await tx.query<z.input<typeof change>>(
      `SELECT id::text, openrouter_id AS "openrouterId", kind, before, after, sync_id AS "syncId",
              to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS at
       FROM ai_model_changes
       WHERE ($1::text IS NULL OR openrouter_id = $1) AND ($2::text IS NULL OR kind = $2)
         AND ($3::bigint IS NULL OR id < $3)
       ORDER BY ai_model_changes.id DESC LIMIT $4`,
      [model ?? null, kind ?? null, cursor ?? null, limit + 1],
    );
    const items = rows.slice(0, limit);
    return { items, nextCursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
  },
});
