import { createHmac } from 'node:crypto';

const PREFIX = 'whsec_';

/** A key as https://www.standardwebhooks.com writes it, to be told to whoever receives. */
export function toWebhookSecret(key: Buffer): string {
  return PREFIX + key.toString('base64');
}

export interface SignedMessage {
  /** The same when it is sent again. */
  id: string;
  /** When it leaves. */
  atMs: number;
  body: string;
}

/** The headers of a message, signed as Standard Webhooks says. */
export function signWebhook(secret: string, { id, atMs, body }: SignedMessage): Record<string, string> {
  const timestamp = String(Math.floor(atMs / 1000));
  const key = Buffer.from(secret.slice(PREFIX.length), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}
