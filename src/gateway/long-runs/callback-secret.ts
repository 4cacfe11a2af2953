import { createHmac } from 'node:crypto';
import { toWebhookSecret } from '#kit/index.ts';
import type { GatewayDeps } from '../gateway-deps.ts';

/** Made of a key of this server and the call, so that none is stored. */
export function callbackSecretOf({ callbacks }: Pick<GatewayDeps, 'callbacks'>, callId: string): string {
  return toWebhookSecret(createHmac('sha256', callbacks.key).update(callId).digest());
}
