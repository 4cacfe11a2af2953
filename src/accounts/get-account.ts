import { z } from 'zod';
import type { InTransaction } from '#database/index.ts';
import { assertUser, operation, Problem, vias, type Caller } from '#kit/index.ts';

const input = z.object({});
const output = z.object({
  id: z.string(),
  username: z.string(),
  name: z.string(),
  email: z.string(),
  isAdmin: z.boolean(),
  via: z.enum(vias),
  scopes: z.array(z.string()),
  createdAt: z.string(),
});

/** Every session and every key may ask who it is, so no scope is demanded; nobody known is refused. */
export const getAccount = operation({
  name: 'account.get',
  route: 'GET /api/user',
  summary: 'Who you are and what this session or API key may do',
  scope: 'public',
  input,
  output,
  problems: ['not_found'],
  run: async ({ tx }: InTransaction, caller: Caller) => {
    assertUser(caller);
    const { rows } = await tx.query<{ name: string; created_at: Date }>(
      'SELECT name, created_at FROM users WHERE id = $1',
      [caller.userId],
    );
    const row = rows[0];
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
