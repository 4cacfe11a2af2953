import { createHmac } from 'node:crypto';
import type { GatewayDeps } from '../gateway-deps.ts';

/** Made of a key of this server and the call, so that none is stored. In the form of Standard Webhooks. */
export function callbackSecretOf({ callbacks }: Pick<GatewayDeps, 'callbacks'>, callId: string): string {
  return `whsec_${toKey(callbacks.key, callId).toString('base64')}`;
}

/** The signature of a message of the call, as its `webhook-signature`. */
export function signCallback(
  { callbacks }: Pick<GatewayDeps, 'callbacks'>,
  callId: string,
  message: { id: string; timestamp: number; body: string },
): string {
  const { id, timestamp, body } = message;
  const mac = createHmac('sha256', toKey(callbacks.key, callId)).update(`${id}.${timestamp}.${body}`);
  return `v1,${mac.digest('base64')}`;
}

function toKey(key: Buffer, callId: string): Buffer {
  return createHmac('sha256', key).update(callId).digest();
}
