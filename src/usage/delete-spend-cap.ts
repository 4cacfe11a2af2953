import { z } from 'zod';
import type { InTransaction } from '#database/index.ts';
import { assertUser, operation, Problem, type Caller } from '#kit/index.ts';

export const deleteSpendCap = operation({
  name: 'usage.spend_caps.delete',
  route: 'DELETE /api/user/spend-caps/:id',
  summary: 'Forget a cap: what it bounded is not bounded by it any more',
  scope: 'resources:write',
  input: z.strictObject({ id: z.uuid() }),
  output: z.object({ id: z.uuid() }),
  problems: ['not_found'],
  run: async ({ tx }: InTransaction, caller: Caller, { id }) => {
    assertUser(caller);
    // What calls are being counted under it is waited for.
    await tx.query('SELECT lock_spend($1)', [caller.userId]);
    const { rowCount } = await tx.query('DELETE FROM spend_caps WHERE id = $1 AND owner_id = $2', [id, caller.userId]);
    if (rowCount !== 1) {
      throw new Problem('not_found', { detail: 'You have no such cap.' });
    }
    return { id };
  },
});
