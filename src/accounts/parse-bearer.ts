import { Problem } from '#kit/index.ts';

/** The token of `Authorization: Bearer …`; null when there is none. Other schemes belong to other protocols. */
export function parseBearer(header: string | null): string | null {
  if (header === null) {
    return null;
  }
  const token = /^Bearer +(\S+)$/i.exec(header.trim())?.[1];
  if (token === undefined && /^Bearer\b|fbx_/i.test(header)) {
    throw new Problem('unauthenticated', {
      detail: 'The Authorization header cannot be read.',
      next: 'Send the API key as "Authorization: Bearer fbx_…".',
    });
  }
  return token ?? null;
}
