/** What an API key may do. A session may do all of it; `admin` additionally needs the e-mail in ADMIN_EMAILS. */
export const scopes = [
  'resources:read',
  'resources:write',
  'integrations:read',
  'integrations:write',
  'usage:read',
  'notices:read',
  'notices:write',
  'account:write',
  'admin',
] as const;

export type Scope = (typeof scopes)[number];

/**
 * By what a user is known. `system` is the server itself on behalf of a user: demo data and jobs. Only a `session` is a
 * person in front of a browser.
 */
export const vias = ['session', 'api_key', 'wallet', 'mcp', 'cli', 'system'] as const;

export type Via = (typeof vias)[number];

export interface User {
  kind: 'user';
  userId: string;
  username: string;
  email: string;
  isAdmin: boolean;
  via: Via;
  scopes: readonly Scope[];
}

/** Who calls: a known user or nobody known. `because`: why what was sent along to be known by was not counted, in a sentence. */
export type Caller = { kind: 'anonymous'; because?: string } | User;

export const anonymous: Caller = { kind: 'anonymous' };

/** The server on behalf of a user: every scope but `admin`. */
export function onBehalfOf(user: Pick<User, 'userId' | 'username' | 'email'>): User {
  return { kind: 'user', ...user, isAdmin: false, via: 'system', scopes: scopes.filter((scope) => scope !== 'admin') };
}
