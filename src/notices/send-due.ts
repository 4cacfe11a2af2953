import type { Tx } from '#database/index.ts';
import type { ChannelName, Delivery, SentNotice } from './channel.ts';
import { channels } from './channels/by-name.ts';
import type { NoticesDeps } from './notices-deps.ts';
import { observe } from './tell.ts';

const BATCH = 20;
/** Longer than any channel takes, so that a message is claimed again only where its process is gone. */
const CLAIM_MS = 120_000;
/** The last attempt is about three hours after the first. */
const MOST_ATTEMPTS = 8;
const FIRST_WAIT_MS = 5_000;
const LONGEST_WAIT_MS = 3_600_000;
/** However long the other side asks for. */
const MOST_ASKED_MS = 6 * 3_600_000;

interface Claimed {
  id: string;
  ownerId: string;
  channel: ChannelName;
  noticeIds: string[];
  attempts: number;
}

const CLAIM = `
  UPDATE notice_messages m SET state = 'sending', attempts = m.attempts + 1, next_at = $2, updated_at = $1
  FROM (SELECT id FROM notice_messages WHERE state IN ('open', 'sending', 'waiting') AND next_at <= $1
        ORDER BY attempts, next_at LIMIT ${BATCH} FOR UPDATE SKIP LOCKED) due
  WHERE m.id = due.id
  RETURNING m.id, m.owner_id AS "ownerId", m.channel, m.notice_ids AS "noticeIds", m.attempts`;

/**
 * Sends what is due, each message by one process; what failed comes after what was not tried yet, so that receivers that do
 * not answer keep others waiting least. A process that dies after it has sent and before it has noted so leaves the message
 * to another one, which sends it again under the same id: at least once. @returns how many were claimed.
 */
export async function sendDue(deps: NoticesDeps): Promise<number> {
  const now = deps.clock.now();
  const { rows } = await deps.database.system.query<Claimed>(CLAIM, [new Date(now), new Date(now + CLAIM_MS)]);
  await Promise.all(rows.map((claimed) => trySend(deps, claimed)));
  return rows.length;
}

async function trySend(deps: NoticesDeps, claimed: Claimed): Promise<void> {
  const told = { channel: claimed.channel, messageId: claimed.id, attempts: claimed.attempts };
  try {
    const delivery = await send(deps, claimed).catch((err: unknown): Delivery => {
      deps.log.error({ ...told, err }, 'a message with notices could not be sent');
      return { status: 'failed', problem: 'It failed on this server.', isFinal: false };
    });
    if (delivery.status === 'failed') {
      deps.log.warn({ ...told, problem: delivery.problem }, 'a message with notices was not taken');
    }
    await note(deps, claimed, delivery);
  } catch (err) {
    // The claim runs out by itself, and the attempt counts.
    deps.log.error({ ...told, err }, 'how a message with notices went could not be noted');
  }
}

async function send(deps: NoticesDeps, { id, ownerId, channel, noticeIds }: Claimed): Promise<Delivery> {
  const { rows } = await deps.database.system.query<SentNotice & { createdAt: Date }>(
    `SELECT id, event, severity, subject, title, body, data, created_at AS "createdAt"
     FROM notices WHERE id = ANY ($1) ORDER BY id`,
    [noticeIds],
  );
  const notices = rows.map((row) => ({ ...row, createdAt: row.createdAt.toISOString() }));
  return notices.length === 0
    ? { status: 'disconnected' }
    : channels[channel].send(deps, { id, ownerId, notices, isTest: false });
}

/** How an attempt ended. What is given up is told in the inbox, once until the channel works again. */
async function note(deps: NoticesDeps, claimed: Claimed, delivery: Delivery): Promise<void> {
  const { ownerId, channel, attempts } = claimed;
  await deps.database.transaction(async (tx) => {
    if (delivery.status === 'failed' && !delivery.isFinal && attempts < MOST_ATTEMPTS) {
      const askedMs = Math.min(delivery.retryAfterMs ?? 0, MOST_ASKED_MS);
      const waitMs = Math.max(askedMs, toWaitMs(attempts));
      await end(deps, tx, { claimed, state: 'waiting', problem: delivery.problem, waitMs });
      return;
    }
    const problem =
      delivery.status === 'failed'
        ? delivery.problem
        : delivery.status === 'sent'
          ? null
          : 'The channel was taken away before it was sent.';
    const state = problem === null ? 'sent' : 'given_up';
    const isEnded = await end(deps, tx, { claimed, state, problem, waitMs: 0 });
    if (isEnded && delivery.status !== 'disconnected') {
      const level = delivery.status === 'failed' ? 1 : 0;
      const data = { channel, problem: problem ?? '' };
      await observe({ tx, clock: deps.clock }, 'channel_failed', {
        seen: [{ ownerId, subject: channel, level, data }],
        isWhole: false,
      });
    }
  });
}

interface Ending {
  claimed: Claimed;
  state: 'waiting' | 'sent' | 'given_up';
  problem: string | null;
  waitMs: number;
}

/** `false`: the attempt is not the claimed one any more. A process that comes back late says nothing about a later one. */
async function end({ clock }: NoticesDeps, tx: Tx, { claimed, state, problem, waitMs }: Ending): Promise<boolean> {
  const now = clock.now();
  const { rowCount } = await tx.query(
    `UPDATE notice_messages SET state = $3, problem = $4, next_at = $5, updated_at = $6
     WHERE id = $1 AND attempts = $2 AND state = 'sending'`,
    [claimed.id, claimed.attempts, state, problem, new Date(now + waitMs), new Date(now)],
  );
  return rowCount === 1;
}

/** Four times as long after each attempt, give or take half: those that failed together do not come back together. */
function toWaitMs(attempts: number): number {
  return Math.min(FIRST_WAIT_MS * 4 ** (attempts - 1), LONGEST_WAIT_MS) * (0.5 + Math.random());
}
