import type { Outbound } from './open-outbound.ts';

interface Sent {
  headers: Readonly<Record<string, string>>;
  body: string;
  timeoutMs: number;
}

/**
 * One POST to a URL that a stranger named. Redirects are not followed and what is answered is not read. Never throws for
 * what the other side does. @returns the status; null: nobody answered.
 */
export async function postText(
  outbound: Pick<Outbound, 'open'>,
  text: string,
  { headers, body, timeoutMs }: Sent,
): Promise<number | null> {
  try {
    const { url, dispatcher } = outbound.open(text);
    const response = await dispatcher.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: 'POST',
      headers: { ...headers, 'user-agent': 'Farebox' },
      body,
      signal: AbortSignal.timeout(timeoutMs),
    });
    // Destroying a body that has not ended makes its stream emit an error, which means nothing here.
    response.body.on('error', () => {}).destroy();
    return response.statusCode;
  } catch {
    return null;
  }
}
