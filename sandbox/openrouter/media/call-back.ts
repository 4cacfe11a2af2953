import { createHmac } from 'node:crypto';
import type { State } from '../state.ts';
import type { VideoJob } from './work.ts';

/** Signs the calls that tell of finished films; public, and good for nothing but the simulator. */
const WEBHOOK_SECRET = 'whsec_simulated';

/** `X-OpenRouter-Signature: t=…,v1=HMAC-SHA256("{t},{body}")`, once and without waiting for an answer. */
export function callBack({ clock }: State, { id, callbackUrl }: VideoJob, done: object): void {
  if (callbackUrl === null) {
    return;
  }
  const body = JSON.stringify(done);
  const time = Math.floor(clock.now() / 1_000);
  const signature = createHmac('sha256', WEBHOOK_SECRET).update(`${time},${body}`).digest('hex');
  const headers = {
    'content-type': 'application/json',
    'x-openrouter-signature': `t=${time},v1=${signature}`,
    'x-openrouter-idempotency-key': id,
  };
  fetch(callbackUrl, { method: 'POST', headers, body }).catch(() => {});
}
