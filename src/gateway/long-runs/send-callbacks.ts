import { signWebhook } from '#kit/index.ts';
import type { GatewayDeps } from '../gateway-deps.ts';
import { isGivenUp } from '../give-up-owed.ts';
import { callbackSecretOf } from './callback-secret.ts';
import { isOpen, readStatus } from './read-status.ts';

const AT_ONCE = 16;
/** Over about a day. */
const MAX_TRIES = 10;

/** Longer than a try takes, so that no other process makes it at the same time; three times as long after each. */
const pause = `least(20 * power(3, callback_tries), 21600) * interval '1 second'`;

/** Refused calls were told so in the response. */
const hasEnded = `(state IN ('settled', 'delivered', 'failed', 'unpaid', 'refunded')
  OR (state = 'owed' AND (answer IS NOT NULL OR ${isGivenUp})))`;

const takeDue = `
  UPDATE long_calls SET callback_tries = callback_tries + 1, callback_due_at = now() + ${pause}
  WHERE call_id IN (
    SELECT call_id FROM long_calls JOIN calls ON id = call_id
    WHERE callback_due_at <= now() AND ${hasEnded}
    ORDER BY callback_due_at LIMIT $1
    FOR UPDATE OF long_calls SKIP LOCKED)
  RETURNING call_id, callback_url, callback_tries`;

/** Such URLs may hold secrets of the receiver. */
const close = `UPDATE long_calls SET callback_due_at = NULL, callback_url = NULL WHERE call_id = $1`;

interface Due {
  call_id: string;
  callback_url: string;
  callback_tries: number;
}

/**
 * Calls back the buyers whose calls have ended, in whichever process; to be called every few seconds. A try that is not
 * answered with 2xx is made again, ever more seldom. @returns how many tries were made.
 */
export async function sendCallbacks(deps: GatewayDeps): Promise<number> {
  const { rows } = await deps.database.system.query<Due>(takeDue, [AT_ONCE]);
  await Promise.all(
    rows.map((due) =>
      callBack(deps, due).catch((err: unknown) => deps.log.error({ err, callId: due.call_id }, 'a callback failed')),
    ),
  );
  return rows.length;
}

async function callBack(deps: GatewayDeps, due: Due): Promise<void> {
  const { call_id: callId, callback_url: url, callback_tries: tries } = due;
  const followed = await readStatus(deps, callId);
  if (!followed || isOpen(followed.status)) {
    return;
  }
  const { status } = followed;
  const now = deps.clock.now();
  const type = `call.${status.state}`;
  // The state, the receipt and where the answer is: whoever reads the receiver's log has no answer yet.
  const body = JSON.stringify({ type, timestamp: new Date(now).toISOString(), data: status });
  const signed = signWebhook(callbackSecretOf(deps, callId), { id: `msg_${callId}`, atMs: now, body });
  const headers = { 'content-type': 'application/json', ...signed };
  const answered = await deps.callbacks.post(url, { body, headers });
  const isTaken = answered !== null && answered >= 200 && answered < 300;
  if (isTaken || answered === 410 || tries >= MAX_TRIES) {
    await deps.database.system.query(close, [callId]);
  }
  deps.log.info({ callId, status: answered, tries, isTaken }, 'a buyer was called back');
}
