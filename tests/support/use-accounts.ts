import { beforeAll } from 'vitest';
import { Problem, systemClock, type Caller } from '#kit/index.ts';
import { openAccounts, type Accounts } from '../../src/accounts/open-accounts.ts';
import { useTestDatabase } from './test-database.ts';

export const baseUrl = 'http://localhost:4020';
export const password = 'correct horse battery';

interface Sent {
  clientAddress?: string;
  /** Of the site itself unless told; null: the header is left out. */
  origin?: string | null;
  headers?: Record<string, string>;
  /** Of another process; the one of the test unless told. */
  on?: Accounts;
  body?: unknown;
}

export interface Answered {
  status: number;
  code: unknown;
  body: Record<string, unknown>;
  cookies: string[];
}

/** Call at the top of a test file: accounts on a database of its own. */
export function useAccounts() {
  const database = useTestDatabase();
  const holder: { accounts?: Accounts } = {};
  let peers = 0;
  const open = (changes: Partial<Parameters<typeof openAccounts>[0]> = {}): Accounts =>
    openAccounts({
      database: database.current,
      baseUrl,
      secret: 'a-secret-of-the-tests-that-is-long-enough',
      adminEmails: ['Boss@Example.com'],
      trustedOrigins: ['http://127.0.0.1:4020'],
      clock: systemClock,
      ...changes,
    });
  beforeAll(() => {
    holder.accounts = open();
  });
  const current = (): Accounts => holder.accounts ?? open();

  /** Each request comes from a fresh address unless told, so that rate limits do not mix the tests. */
  async function send(method: string, path: string, { origin = baseUrl, ...sent }: Sent): Promise<Answered> {
    const headers = { ...(origin === null ? {} : { origin }), ...sent.headers };
    const request = new Request(`${baseUrl}/api/auth${path}`, { method, headers });
    const clientAddress = sent.clientAddress ?? `10.0.${(peers += 1) >> 8}.${peers & 255}`;
    try {
      const response = await (sent.on ?? current()).handler({ request, body: sent.body, clientAddress });
      const body = (await response.json()) as Record<string, unknown>;
      return { status: response.status, code: undefined, body, cookies: response.headers.getSetCookie() };
    } catch (error) {
      if (!(error instanceof Problem)) {
        throw error;
      }
      const body = { detail: error.message, fields: error.fields, headers: error.headers };
      return { status: error.status, code: error.code, body, cookies: [] };
    }
  }

  const post = (path: string, body: unknown, sent: Sent = {}): Promise<Answered> =>
    send('POST', path, { ...sent, body });
  const signUp = (username: unknown, email = `${String(username)}@example.com`, sent?: Sent): Promise<Answered> =>
    post('/sign-up/email', { email, password, username }, sent);
  const signIn = (email: string, sent?: Sent, given = password): Promise<Answered> =>
    post('/sign-in/email', { email, password: given }, sent);

  return {
    database,
    open,
    /** Of the test's process. */
    get current() {
      return current();
    },
    send,
    post,
    signUp,
    signIn,
    /** Signs up and in. @returns the Cookie header. */
    begin: async (username: string, email = `${username}@example.com`): Promise<string> => {
      await signUp(username, email);
      return cookieOf((await signIn(email)).cookies);
    },
    whoIs: (cookie: string): Promise<Caller> => current().authenticate(new Headers({ cookie })),
  };
}

export function cookieOf(cookies: readonly string[]): string {
  return cookies.map((cookie) => cookie.split(';')[0]).join('; ');
}
