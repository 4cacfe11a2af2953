import { assertOwnOrigin, judgeOrigin, Problem } from '#kit/index.ts';

interface Sent {
  headers: Headers;
  /** The route begins a session and reads none. */
  beginsSession: boolean;
}

/** Why a session cookie that came along is not counted, for whoever wonders; null where it is. */
export function explainForeignOrigin(headers: Headers, origins: ReadonlySet<string>): string | null {
  return judgeOrigin(headers, origins) === 'foreign'
    ? `The Origin header of the request is not this site's (${[...origins].join(', ')}), so its session cookie was not counted.`
    : null;
}

/**
 * Refuses what another site's page makes a browser send. Browsers name the page: by Origin with every POST, and by
 * Sec-Fetch-Site. What names none and needs no cookie comes from a program and is let through.
 */
export function assertOwnPage({ headers, beginsSession }: Sent, origins: ReadonlySet<string>): void {
  const sender = judgeOrigin(headers, origins);
  const site = headers.get('sec-fetch-site');
  if (sender === 'foreign' || (sender === 'unnamed' && (site === 'cross-site' || site === 'same-site'))) {
    throw new Problem('forbidden', {
      detail: `This was sent by a page of another site: its Origin header is not this site's (${[...origins].join(', ')}).`,
      next: `Use the site at ${[...origins][0]}; programs leave Origin out.`,
    });
  }
  if (headers.has('cookie') && !beginsSession) {
    assertOwnOrigin(headers, origins);
  }
}
