import type { Tx } from '#database/index.ts';
import { newId } from '#kit/index.ts';
import { channelNames, type ChannelName } from './channel.ts';
import { channels } from './channels/by-name.ts';
import type { NoticesDeps } from './notices-deps.ts';

const BATCH = 200;
/** Notices of a message, from which on it takes up no more. */
const FULL = 200;
/**
 * So many messages leave by one channel of an account in a window; what comes beyond them leaves together when it ends.
 * @internal for its test.
 */
export const pace: Readonly<Record<ChannelName, { messages: number; windowMs: number }>> = {
  email: { messages: 4, windowMs: 3_600_000 },
  webhook: { messages: 30, windowMs: 600_000 },
  telegram: { messages: 10, windowMs: 600_000 },
  discord: { messages: 10, windowMs: 600_000 },
};

interface Unspread {
  id: string;
  owner_id: string;
  event: string;
  /** Of a channel that failed: it is not told by itself. */
  failed: string | null;
}

interface Addressed {
  ownerId: string;
  channel: ChannelName;
  noticeIds: string[];
}

/**
 * Gives new notices to the channels that their owners have connected and want them by. Each notice is given once, also
 * where several processes do this at the same time. @returns how many were taken.
 */
export async function spreadNotices(deps: NoticesDeps): Promise<number> {
  return deps.database.transaction(async (tx) => {
    const { rows } = await tx.query<Unspread>(
      `SELECT id, owner_id, event, CASE event WHEN 'channel_failed' THEN subject END AS failed
       FROM notices WHERE NOT is_spread ORDER BY id LIMIT ${BATCH} FOR UPDATE SKIP LOCKED`,
    );
    if (rows.length === 0) {
      return 0;
    }
    for (const addressed of await address(deps, tx, rows)) {
      await queue(deps, tx, addressed);
    }
    await tx.query('UPDATE notices SET is_spread = true WHERE id = ANY ($1)', [rows.map(({ id }) => id)]);
    return rows.length;
  });
}

async function address(deps: NoticesDeps, tx: Tx, rows: readonly Unspread[]): Promise<Addressed[]> {
  const ownerIds = [...new Set(rows.map((row) => row.owner_id))];
  const off = await tx.query<{ name: string }>(
    `SELECT owner_id || ' ' || event || ' ' || channel AS name FROM notice_preferences
     WHERE owner_id = ANY ($1) AND NOT is_on`,
    [ownerIds],
  );
  const unwanted = new Set(off.rows.map(({ name }) => name));
  const addressed: Addressed[] = [];
  for (const channel of channelNames) {
    const connected = new Set(await channels[channel].listConnected(deps, ownerIds));
    const wanted = rows.filter(
      (row) =>
        connected.has(row.owner_id) &&
        row.failed !== channel &&
        !unwanted.has(`${row.owner_id} ${row.event} ${channel}`),
    );
    for (const [ownerId, own] of Map.groupBy(wanted, (row) => row.owner_id)) {
      addressed.push({ ownerId, channel, noticeIds: own.map(({ id }) => id) });
    }
  }
  return addressed;
}

/** Into the message that is open and not full, or into a new one that leaves when the pace of the channel allows it. */
async function queue({ clock }: NoticesDeps, tx: Tx, { ownerId, channel, noticeIds }: Addressed): Promise<void> {
  const { messages, windowMs } = pace[channel];
  const now = clock.now();
  await tx.query(
    `UPDATE notice_messages SET state = 'waiting' WHERE owner_id = $1 AND channel = $2 AND state = 'open'
       AND cardinality(notice_ids) >= ${FULL}`,
    [ownerId, channel],
  );
  const { rows } = await tx.query<{ due_at: Date }>(
    `SELECT due_at FROM notice_messages WHERE owner_id = $1 AND channel = $2 AND due_at > $3
     ORDER BY due_at DESC OFFSET $4 LIMIT 1`,
    [ownerId, channel, new Date(now - windowMs), messages - 1],
  );
  const dueAt = rows[0] ? new Date(rows[0].due_at.getTime() + windowMs) : new Date(now);
  await tx.query(
    `INSERT INTO notice_messages AS m (id, owner_id, channel, notice_ids, state, due_at, next_at, created_at, updated_at)
     VALUES ($1, $2, $3, $4, 'open', $5, $5, $6, $6)
     ON CONFLICT (owner_id, channel) WHERE state = 'open' DO UPDATE SET
       notice_ids = m.notice_ids || excluded.notice_ids, updated_at = excluded.updated_at`,
    [newId(), ownerId, channel, noticeIds, dueAt, new Date(now)],
  );
}
