import { z } from 'zod';
import type { Database } from '#database/index.ts';
import { operation, Problem } from '#kit/index.ts';
import { assertUser } from './assert-user.ts';

interface Deps {
  database: Database;
}

const input = z.object({});
const output = z.object({
  id: z.string(),
  username: z.string(),
  name: z.string(),
  email: z.string(),
  isAdmin: z.boolean(),
  via: z.enum(['session', 'api_key']),
  scopes: z.array(z.string()),
  createdAt: z.string(),
});

/** Every session and every key may ask who it is, so no scope is demanded; nobody known is refused. */
export const getAccount = operation<Deps, typeof input, typeof output>({
  name: 'account.get',
  route: 'GET /api/user',
  summary: 'Who you are and what this session or API key may do',
  scope: 'public',
  input,
  output,
  async run(deps, caller) {
    assertUser(caller);
    const row = await deps.database.asUser(caller.userId, async (tx) => {
      const { rows } = await tx.query<{ name: string; created_at: Date }>(
        'SELECT name, created_at FROM users WHERE id = $1',
        [caller.userId],
      );
      return rows[0];
    });
    if (!row) {
      throw new Problem('not_found', { detail: 'This account no longer exists.' });
    }
    return {
      id: caller.userId,
      username: caller.username,
      name: row.name,
      email: caller.email,
      isAdmin: caller.isAdmin,
      via: caller.via,
      scopes: [...caller.scopes],
      createdAt: row.created_at.toISOString(),
    };
  },
});
