import { betterAuth } from 'better-auth';
import type { Database } from '#database/index.ts';
import { anonymous, scopes as allScopes, type Caller, type Clock, type Scope, type User } from '#kit/index.ts';
import { findUserByEmail } from './find-user.ts';
import { getKeyOwner, openKeyMemory } from './api-key.ts';
import { toAuthOptions } from './auth-options.ts';
import { openKnownClients } from './known-client.ts';
import { openSignInLimits } from './limit-sign-in.ts';
import { explainForeignOrigin } from './own-origins.ts';
import { parseBearer } from './parse-bearer.ts';
import { serveAuth, type AuthRequest } from './serve-auth.ts';

interface AccountsOptions {
  database: Database;
  baseUrl: string;
  /** Signs the session cookies: at least 32 random bytes as text, the same in every process. */
  secret: string;
  /** Whoever signs up first with one of these addresses is an administrator: there is no e-mail service to verify them. */
  adminEmails: readonly string[];
  /** Origins besides `baseUrl` whose pages may use the session cookie. */
  trustedOrigins: readonly string[];
  clock: Clock;
  onLog?: (level: string, message: string) => void;
}

interface NewUser {
  email: string;
  username: string;
  password: string;
  name?: string;
}

export interface Accounts {
  /** Serves /api/auth/*. Throws a Problem where it refuses. */
  handler(sent: AuthRequest): Promise<Response>;
  /** A presented API key that is not valid is refused with `unauthenticated`, never taken for nobody. */
  authenticate(headers: Headers): Promise<Caller>;
  /** To be called where a key ends, on every notification of `API_KEYS_CHANGED` and after each reconnection of the listener. */
  forgetKeys(): void;
  /** The user with this e-mail address, created when missing: for demo data and commands. */
  ensureUser(wanted: NewUser): Promise<{ userId: string; username: string }>;
}

export function openAccounts(options: AccountsOptions): Accounts {
  const auth = betterAuth(toAuthOptions(options));
  const admins = new Set(options.adminEmails.map((email) => email.trim().toLowerCase()));
  const origins = new Set([options.baseUrl, ...options.trustedOrigins].map((url) => new URL(url).origin));

  const serving = {
    database: options.database,
    handle: auth.handler,
    origins,
    findSession: async (headers: Headers) =>
      (await auth.api.getSession({ headers, query: { disableRefresh: true } }))?.session ?? null,
    limits: openSignInLimits(options.database),
    knownClients: openKnownClients({
      secret: options.secret,
      isSecure: new URL(options.baseUrl).protocol === 'https:',
    }),
  };

  const keys = openKeyMemory(options);
  const toUser = (found: Omit<User, 'kind' | 'isAdmin'>): User => {
    const isAdmin = admins.has(found.email.toLowerCase());
    const scopes = found.scopes.filter((scope: Scope) => scope !== 'admin' || isAdmin);
    return { kind: 'user', ...found, isAdmin, scopes };
  };

  const findSession = async (headers: Headers): Promise<Caller> => {
    if (!headers.has('cookie')) {
      return anonymous;
    }
    // Another site's page may make the browser send the cookie along; it must not act for the user.
    const because = explainForeignOrigin(headers, origins);
    if (because !== null) {
      return { kind: 'anonymous', because };
    }
    const session = await auth.api.getSession({ headers, query: { disableRefresh: true } });
    if (!session) {
      return anonymous;
    }
    const { id, email, username } = session.user;
    return toUser({ userId: id, username: username ?? '', email, via: 'session', scopes: allScopes });
  };

  return {
    handler: (sent) => serveAuth(serving, sent),
    authenticate: async (headers) => {
      const presented = parseBearer(headers.get('authorization'));
      return presented === null
        ? findSession(headers)
        : toUser({ ...(await getKeyOwner({ ...options, keys }, presented)), via: 'api_key' });
    },
    forgetKeys: () => keys.forget(),
    ensureUser: async (wanted) => {
      const existing = await findUserByEmail(options.database, wanted.email);
      if (existing) {
        return existing;
      }
      // Another process may be making the same user: one of the two fails, or is answered as if it had not.
      const failure = await auth.api
        .signUpEmail({ body: { ...wanted, name: wanted.name ?? wanted.username } })
        .then(() => null)
        .catch((error: unknown) => error);
      const made = await findUserByEmail(options.database, wanted.email);
      if (!made) {
        throw failure ?? new Error(`The user ${wanted.username} was not made.`);
      }
      return made;
    },
  };
}
