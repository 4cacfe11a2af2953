import { z } from 'zod';
import type { InTransaction } from '#database/index.ts';
import { assertUser, operation, type Caller, type Clock } from '#kit/index.ts';
import { countUnread } from './list-notices.ts';

export const markRead = operation({
  name: 'notices.mark_read',
  route: 'POST /api/user/notices/read',
  summary: 'Mark notices as read: those that you name, or all up to the one that you saw last',
  scope: 'notices:write',
  input: z.union([
    z.strictObject({ ids: z.array(z.uuid()).min(1).max(100) }),
    z.strictObject({ upTo: z.uuid().describe('This one and all that are older') }),
  ]),
  output: z.object({ marked: z.int(), unread: z.int() }),
  run: async ({ tx, clock }: { clock: Clock } & InTransaction, caller: Caller, chosen) => {
    assertUser(caller);
    const ids = 'ids' in chosen ? chosen.ids : null;
    const upTo = 'upTo' in chosen ? chosen.upTo : null;
    const { rowCount } = await tx.query(
      `UPDATE notices SET read_at = $4 WHERE owner_id = $1 AND read_at IS NULL AND (id = ANY ($2::uuid[]) OR id <= $3::uuid)`,
      [caller.userId, ids, upTo, new Date(clock.now())],
    );
    return { marked: rowCount ?? 0, unread: await countUnread(tx, caller.userId) };
  },
});
