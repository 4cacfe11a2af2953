import { z } from 'zod';
import type { InTransaction } from '#database/index.ts';
import { safeParse, operation, Problem, type Caller } from '#kit/index.ts';
import { findCalls, loggedCall, type Position } from './find-calls.ts';
import { usageFilters } from './usage-filters.ts';

const position = z.tuple([z.iso.datetime(), z.uuid()]);

const input = usageFilters.safeExtend({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: z.string().max(200).optional(),
});

const output = z.object({ items: z.array(loggedCall), nextCursor: z.string().nullable() });

export const listUsage = operation({
  name: 'usage.list',
  route: 'GET /api/usage',
  summary: 'List the calls of your resources, newest first, with cause, cost and margin.',
  scope: 'usage:read',
  input,
  output,
  run: async ({ tx }: InTransaction, _caller: Caller, { limit, cursor, ...filters }) => {
    const after = cursor === undefined ? null : parseCursor(cursor);
    const calls = await findCalls(tx, { filters, after, limit: limit + 1 });
    const items = calls.slice(0, limit);
    const last = items.at(-1);
    return { items, nextCursor: calls.length > limit && last ? toCursor(last) : null };
  },
});

function toCursor({ at, callId }: Position): string {
  return Buffer.from(JSON.stringify([at, callId])).toString('base64url');
}

function parseCursor(cursor: string): Position {
  const parsed = safeParse(position, readJson(Buffer.from(cursor, 'base64url').toString()));
  if (!parsed.success) {
    throw new Problem('invalid_input', {
      detail: 'This cursor was not made here.',
      next: 'Use the nextCursor of the page before, or leave it out to start anew.',
      fields: [{ path: '/cursor', message: 'Expected the nextCursor of an earlier answer' }],
    });
  }
  const [at, callId] = parsed.data;
  return { at, callId };
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
