import { Problem } from '#kit/index.ts';

interface Sent {
  headers: Headers;
  /** The route begins a session and reads none. */
  beginsSession: boolean;
}

/** Why a session cookie that came along is not counted, for whoever wonders; null where it is. */
export function explainForeignOrigin(headers: Headers, origins: ReadonlySet<string>): string | null {
  const origin = headers.get('origin');
  return origin === null || origins.has(origin)
    ? null
    : `The Origin header of the request is not this site's (${[...origins].join(', ')}), so its session cookie was not counted.`;
}

/**
 * Refuses what another site's page makes a browser send. Browsers name the page: by Origin with every POST, and by
 * Sec-Fetch-Site. What names none and needs no cookie comes from a program and is let through.
 */
export function assertOwnPage({ headers, beginsSession }: Sent, origins: ReadonlySet<string>): void {
  const origin = headers.get('origin');
  const site = headers.get('sec-fetch-site');
  const isForeign = origin === null ? site === 'cross-site' || site === 'same-site' : !origins.has(origin);
  const own = [...origins].join(', ');
  if (isForeign) {
    throw new Problem('forbidden', {
      detail: `This was sent by a page of another site: its Origin header is not this site's (${own}).`,
      next: `Use the site at ${[...origins][0]}; programs leave Origin out.`,
    });
  }
  if (origin === null && headers.has('cookie') && !beginsSession) {
    throw new Problem('forbidden', {
      detail: `A change under a session needs an Origin header of this site (${own}).`,
      next: `Send "Origin: ${[...origins][0]}" with the cookie, or use an API key instead of the session.`,
    });
  }
}
