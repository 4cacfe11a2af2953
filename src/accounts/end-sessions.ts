import type { Database } from '#database/index.ts';

/** Ends the session with this token. */
export async function endSession({ system }: Database, token: string): Promise<void> {
  await system.query('DELETE FROM sessions WHERE token = $1', [token]);
}

/** Ends every session of the user but the one with this token. */
export async function endOtherSessions({ system }: Database, userId: string, token: string): Promise<void> {
  await system.query('DELETE FROM sessions WHERE owner_id = $1 AND token <> $2', [userId, token]);
}
