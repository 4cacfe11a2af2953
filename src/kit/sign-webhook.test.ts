import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import { signWebhook, toWebhookSecret } from './sign-webhook.ts';

test('a signature is what the library of Standard Webhooks verifies, and holds for its own body, id and secret alone', () => {
  const secret = toWebhookSecret(randomBytes(32));
  const body = JSON.stringify({ type: 'test', text: 'ü' });
  const headers = signWebhook(secret, { id: 'msg_1', atMs: Date.now(), body });
  expect(new Webhook(secret).verify(body, headers)).toEqual({ type: 'test', text: 'ü' });
  expect(() => new Webhook(secret).verify(`${body} `, headers)).toThrow('signature');
  expect(() => new Webhook(secret).verify(body, { ...headers, 'webhook-id': 'msg_2' })).toThrow('signature');
  expect(() => new Webhook(toWebhookSecret(randomBytes(32))).verify(body, headers)).toThrow('signature');
});
