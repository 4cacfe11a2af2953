import type { Database } from '#database/index.ts';

/** What a user signs in with besides the name or address. */
export interface Credential {
  userId: string;
  /** Another one after each change, also to the same password: it is salted. */
  passwordHash: string;
}

/** Of the user with this address, name or id, in its one spelling; null where there is none. */
export async function findCredential(
  database: Database,
  [column, value]: ['email' | 'username' | 'id', unknown],
): Promise<Credential | null> {
  const { rows } = await database.system.query<Credential>(
    `SELECT u.id AS "userId", a.password AS "passwordHash"
     FROM users u JOIN auth_accounts a ON a.owner_id = u.id AND a.provider_id = 'credential'
     WHERE u.${column} = $1 AND a.password IS NOT NULL`,
    [value],
  );
  return rows[0] ?? null;
}
