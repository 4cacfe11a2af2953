import { z } from 'zod';
import { safeParse, Problem } from '#kit/index.ts';

export const sorts = ['name', 'newest', 'price', 'context'] as const;
export type Sort = (typeof sorts)[number];
export type Order = 'asc' | 'desc';

/** Where a page ended: the sort key of its last row as text, and its id. */
export interface Position {
  key: string;
  id: string;
}

export interface Sorting {
  sort: Sort;
  order: Order;
}

const key = {
  name: z
    .string()
    .max(500)
    .regex(/^[^\0]*$/),
  newest: z.string().regex(/^(-1|\d{1,12})$/),
  price: z.string().regex(/^(Infinity|-1|\d{1,30}(\.\d{1,60})?)$/),
  context: z.string().regex(/^(-1|\d{1,12})$/),
} satisfies Record<Sort, z.ZodType>;

export function toCursor({ sort, order }: Sorting, { key: last, id }: Position): string {
  return Buffer.from(JSON.stringify([sort, order, last, id])).toString('base64url');
}

/** Throws `invalid_input` unless the cursor was made for this sorting and every part of it can be what we wrote. */
export function parseCursor(cursor: string, { sort, order }: Sorting): Position {
  const shape = z.tuple([z.literal(sort), z.literal(order), key[sort], z.uuid()]);
  const parsed = safeParse(shape, readJson(cursor));
  if (!parsed.success) {
    throw new Problem('invalid_input', {
      detail: 'This cursor does not belong to this list and sorting.',
      next: 'Use the nextCursor of the page before with the same sort and order, or leave it out to start anew.',
      fields: [{ path: '/cursor', message: 'Expected the nextCursor of an earlier answer' }],
    });
  }
  return { key: parsed.data[2], id: parsed.data[3] };
}

function readJson(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    return undefined;
  }
}
