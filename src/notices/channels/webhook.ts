import { signWebhook } from '#kit/index.ts';
import { postMessage, type Posted } from '#upstreams/index.ts';
import type { SealContext } from '#vault/index.ts';
import type { Channel, Delivery, Message } from '../channel.ts';
import type { NoticesDeps } from '../notices-deps.ts';

const TIMEOUT_MS = 10_000;

interface Row {
  url: string;
  sealed_secret: Buffer;
}

export const webhook: Channel = {
  send: async (deps, message) => {
    const { database, vault } = deps;
    const { rows } = await database.system.query<Row>(
      'SELECT url, sealed_secret FROM notice_webhooks WHERE owner_id = $1 AND is_enabled',
      [message.ownerId],
    );
    const [row] = rows;
    if (!row) {
      return { status: 'disconnected' };
    }
    const secret = await vault.open(database.system, toSecretPlace(message.ownerId), row.sealed_secret);
    return toDelivery(await postSigned(deps, { url: row.url, secret }, message));
  },
  listConnected: async ({ database }, ownerIds) => {
    const { rows } = await database.system.query<{ owner_id: string }>(
      'SELECT owner_id FROM notice_webhooks WHERE owner_id = ANY ($1) AND is_enabled',
      [ownerIds],
    );
    return rows.map(({ owner_id: id }) => id);
  },
};

export function toSecretPlace(ownerId: string): SealContext {
  return { table: 'notice_webhooks', row: ownerId, ownerId, field: 'secret' };
}

/** One POST, signed as https://www.standardwebhooks.com says. */
export function postSigned(
  { webhooks, clock }: Pick<NoticesDeps, 'webhooks' | 'clock'>,
  { url, secret }: { url: string; secret: string },
  { id, notices, isTest }: Omit<Message, 'ownerId'>,
): Promise<Posted> {
  const now = clock.now();
  const body = JSON.stringify({ type: isTest ? 'test' : 'notices', timestamp: new Date(now), notices });
  const headers = signWebhook(secret, { id, atMs: now, body });
  return postMessage(webhooks, url, { headers, body, timeoutMs: TIMEOUT_MS });
}

/** 410 says that nobody wants this any more. */
function toDelivery(posted: Posted): Delivery {
  if (!posted.ok) {
    return { status: 'failed', problem: posted.reason, isFinal: posted.isForbidden };
  }
  const { status, retryAfterSeconds } = posted;
  return status >= 200 && status < 300
    ? { status: 'sent' }
    : {
        status: 'failed',
        problem: `Your server answered with status ${status}.`,
        isFinal: status === 410,
        ...(retryAfterSeconds === null ? {} : { retryAfterMs: retryAfterSeconds * 1000 }),
      };
}
