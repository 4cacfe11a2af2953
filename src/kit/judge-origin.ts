import { Problem } from './errors.ts';

/**
 * Whose page sent a request, by its Origin header: one of ours, another site's, or none that it names. Browsers name the
 * page with every change; programs and links name none.
 */
export function judgeOrigin(headers: Headers, origins: ReadonlySet<string>): 'own' | 'foreign' | 'unnamed' {
  const origin = headers.get('origin');
  if (origin === null) {
    return 'unnamed';
  }
  return origins.has(origin) ? 'own' : 'foreign';
}

/** A cookie travels by itself, so a change under a session must say that one of our pages sent it. Throws `forbidden`. */
export function assertOwnOrigin(headers: Headers, origins: ReadonlySet<string>): void {
  if (judgeOrigin(headers, origins) === 'own') {
    return;
  }
  throw new Problem('forbidden', {
    detail: `A change under a session needs an Origin header of this site (${[...origins].join(', ')}).`,
    next: `Send "Origin: ${[...origins][0]}" with the cookie, or use an API key instead of the session.`,
  });
}
