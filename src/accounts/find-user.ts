import type { Database } from '#database/index.ts';

interface FoundUser {
  userId: string;
  username: string;
  name: string;
}

/** For protocols that know a creator by the name in the URL. Names are stored in lower case. */
export async function findUserByUsername(database: Database, username: string): Promise<FoundUser | null> {
  const { rows } = await database.system.query<FoundUser>({
    name: 'find_user_by_username',
    text: 'SELECT id AS "userId", username, name FROM users WHERE username = $1',
    values: [username.toLowerCase()],
  });
  return rows[0] ?? null;
}

export async function findUserByEmail(database: Database, email: string): Promise<FoundUser | null> {
  const { rows } = await database.system.query<FoundUser>(
    'SELECT id AS "userId", username, name FROM users WHERE email = $1',
    [email.toLowerCase()],
  );
  return rows[0] ?? null;
}
