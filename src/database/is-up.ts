import type { Database } from './open-database.ts';

/** Does the database answer? Never rejects. */
export async function isUp(database: Pick<Database, 'system'>): Promise<boolean> {
  try {
    await database.system.query('SELECT 1');
    return true;
  } catch {
    return false;
  }
}
