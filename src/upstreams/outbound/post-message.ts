import { Problem } from '#kit/index.ts';
import type { Outbound } from './open-outbound.ts';

export interface PostedMessage {
  headers: Readonly<Record<string, string>>;
  body: string;
  timeoutMs: number;
}

/** What came of a POST. `reason`: why there was no answer, in words for whoever named the URL; they never repeat it. */
export type Posted =
  | { ok: true; status: number; retryAfterSeconds: number | null }
  | { ok: false; isForbidden: boolean; reason: string };

/**
 * Sends a body to a URL that a user named: one POST. Redirects are not followed and the answer's body is not read. Never
 * throws for what the other side does.
 */
export async function postMessage(
  outbound: Pick<Outbound, 'open'>,
  target: string,
  { headers, body, timeoutMs }: PostedMessage,
): Promise<Posted> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const { url, dispatcher } = outbound.open(target);
    const response = await dispatcher.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'Farebox', ...headers },
      body,
      signal,
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    // Destroying a body that has not ended makes its stream emit an error, which means nothing here.
    response.body.on('error', () => {}).destroy();
    const wait = Number(response.headers['retry-after']);
    return { ok: true, status: response.statusCode, retryAfterSeconds: wait > 0 ? wait : null };
  } catch (error) {
    if (error instanceof Problem) {
      return { ok: false, isForbidden: true, reason: error.message };
    }
    const reason = signal.aborted
      ? `There was no answer within ${timeoutMs / 1000} seconds.`
      : 'The server cannot be reached.';
    return { ok: false, isForbidden: false, reason };
  }
}
