import { z } from 'zod';
import type { InTransaction, Tx } from '#database/index.ts';
import { assertUser, operation, type Caller } from '#kit/index.ts';
import { eventNames } from './event.ts';

const severities = ['info', 'warning', 'critical'] as const;

const notice = z.object({
  id: z.string(),
  event: z.enum(eventNames),
  severity: z.enum(severities),
  subject: z.string().describe('What it is about: the id of a resource, a model, a service, a network'),
  title: z.string(),
  body: z.string(),
  data: z.record(z.string(), z.unknown()).describe('What the text is made of'),
  isRead: z.boolean(),
  createdAt: z.string(),
});

/** SQL. What the owner does not want in the inbox is not shown there. */
const IN_INBOX = `NOT EXISTS (SELECT FROM notice_preferences p
  WHERE p.owner_id = n.owner_id AND p.event = n.event AND p.channel = 'inbox' AND NOT p.is_on)`;

interface Row extends Omit<z.input<typeof notice>, 'createdAt' | 'isRead'> {
  created_at: Date;
  read_at: Date | null;
}

export const listNotices = operation({
  name: 'notices.list',
  route: 'GET /api/user/notices',
  summary: 'Your inbox: what you should know of your keys, models, resources and calls, newest first',
  scope: 'notices:read',
  input: z.object({
    unread: z.enum(['true', 'false']).optional().describe('true: only what is not marked as read'),
    event: z.enum(eventNames).optional(),
    limit: z.coerce.number().int().min(1).max(100).default(20),
    cursor: z.uuid().optional(),
  }),
  output: z.object({ items: z.array(notice), unread: z.int(), nextCursor: z.string().nullable() }),
  run: async ({ tx }: InTransaction, caller: Caller, { unread, event, limit, cursor }) => {
    assertUser(caller);
    const { rows } = await tx.query<Row>(
      `SELECT id, event, severity, subject, title, body, data, read_at, created_at FROM notices n
       WHERE owner_id = $1 AND ($2::uuid IS NULL OR id < $2) AND ($3::text IS NULL OR event = $3)
         AND ($4::boolean IS NULL OR (read_at IS NULL) = $4) AND ${IN_INBOX}
       ORDER BY id DESC LIMIT $5`,
      [caller.userId, cursor ?? null, event ?? null, unread === undefined ? null : unread === 'true', limit + 1],
    );
    const items = rows.slice(0, limit).map(({ created_at: createdAt, read_at: readAt, ...shown }) => ({
      ...shown,
      isRead: readAt !== null,
      createdAt: createdAt.toISOString(),
    }));
    const nextCursor = rows.length > limit ? (items.at(-1)?.id ?? null) : null;
    return { items, unread: await countUnread(tx, caller.userId), nextCursor };
  },
});

/** In the inbox of its owner. */
export async function countUnread(tx: Pick<Tx, 'query'>, ownerId: string): Promise<number> {
  const { rows } = await tx.query<{ unread: number }>(
    `SELECT count(*)::int AS unread FROM notices n WHERE owner_id = $1 AND read_at IS NULL AND ${IN_INBOX}`,
    [ownerId],
  );
  return rows[0]?.unread ?? 0;
}
