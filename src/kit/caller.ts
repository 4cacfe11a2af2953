/** What an API key may do. A session may do all of it; `admin` additionally needs the e-mail in ADMIN_EMAILS. */
export const scopes = [
  'resources:read',
  'resources:write',
  'integrations:read',
  'integrations:write',
  'usage:read',
  'account:write',
  'admin',
] as const;

export type Scope = (typeof scopes)[number];

export interface User {
  kind: 'user';
  userId: string;
  username: string;
  email: string;
  isAdmin: boolean;
  via: 'session' | 'api_key';
  scopes: readonly Scope[];
}

/** Who calls: a signed-in user (session or API key) or nobody known. */
export type Caller = { kind: 'anonymous' } | User;

export const anonymous: Caller = { kind: 'anonymous' };
