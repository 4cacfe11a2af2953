import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Credential } from './find-credential.ts';

const COOKIE = 'farebox.known_client';
const YEAR_SECONDS = 365 * 86_400;
const FORM = /^([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})$/;

export interface KnownClients {
  /** The client's id where its cookie says, under our signature, that it has signed in with this very password before; else null. */
  find(cookieHeader: string | null, credential: Credential): string | null;
  /** The Set-Cookie line by which this client is known until the password changes. A client that is known keeps its id. */
  toCookie(credential: Credential, id?: string | null): string;
}

/** Tells clients that have signed in to an account before from strangers. The cookie opens nothing: it only has limits of its own. */
export function openKnownClients(options: { secret: string; isSecure: boolean }): KnownClients {
  const sign = ({ userId, passwordHash }: Credential, id: string): string =>
    createHmac('sha256', options.secret).update(`known client\n${userId}\n${passwordHash}\n${id}`).digest('base64url');
  return {
    find: (cookieHeader, credential) => {
      const value = readCookie(cookieHeader ?? '');
      const [, id = '', signature = ''] = FORM.exec(value) ?? [];
      return id !== '' && timingSafeEqual(Buffer.from(signature), Buffer.from(sign(credential, id))) ? id : null;
    },
    toCookie: (credential, known) => {
      const id = known ?? randomBytes(16).toString('base64url');
      const secure = options.isSecure ? '; Secure' : '';
      const scope = `Max-Age=${YEAR_SECONDS}; Path=/api/auth/sign-in; HttpOnly; SameSite=Lax${secure}`;
      return `${COOKIE}=${id}.${sign(credential, id)}; ${scope}`;
    },
  };
}

function readCookie(header: string): string {
  const found = header.split(';').map((part) => part.trim().split('='));
  return found.find(([name]) => name === COOKIE)?.[1] ?? '';
}
