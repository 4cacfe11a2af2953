import type { Database } from '#database/index.ts';

interface FoundUser {
  userId: string;
  username: string;
  name: string;
}

export async function findUserByEmail(database: Database, email: string): Promise<FoundUser | null> {
  const { rows } = await database.system.query<FoundUser>(
    'SELECT id AS "userId", username, name FROM users WHERE email = $1',
    [email.toLowerCase()],
  );
  return rows[0] ?? null;
}
