import { z } from 'zod';
import type { InTransaction, Tx } from '#database/index.ts';
import { assertUser, newId, operation, Problem, toInvalidInput, usdAmount, type Caller } from '#kit/index.ts';
import type { SpendHold } from './hold-spend.ts';
import { readSpendCaps, spendCap } from './list-spend-caps.ts';

const MAX_CAPS = 100;
const EACH = '*';

interface PutDeps extends InTransaction, Pick<SpendHold, 'forgetCaps'> {
  /** Is it one of the user's that `tx` acts for? */
  isOwnResource(tx: Tx, resourceId: string): Promise<boolean>;
}

export const putSpendCap = operation({
  name: 'usage.spend_caps.put',
  route: 'PUT /api/user/spend-caps',
  summary:
    'Choose what your key, a resource or the calls of a wallet may cost you a day. A call whose worst case does not fit any more is refused before its payment may move; what is sold goes on by itself the next day, or when the cap is raised.',
  scope: 'resources:write',
  input: z.strictObject({
    scope: spendCap.shape.scope,
    subject: z
      .string()
      .max(128)
      .default(EACH)
      .describe(
        'Of a resource its id, of a payer its address; "*", or nothing: each of them by itself. Nothing of the key.',
      ),
    perDayUsd: usdAmount.describe('By UTC. "0": nothing.'),
  }),
  output: spendCap,
  problems: ['conflict', 'not_found'],
  run: async ({ tx, asSystem, isOwnResource, forgetCaps }: PutDeps, caller: Caller, wanted) => {
    assertUser(caller);
    const subject = toSubject(wanted);
    if (wanted.scope === 'resource' && subject !== EACH && !(await isOwnResource(tx, subject))) {
      // Nor is it told whether somebody else has one.
      throw new Problem('not_found', {
        detail: 'You have no resource with this id, so it was not capped.',
        next: 'Take the id from GET /api/resources?mine=true, or leave the subject out to cap each of your resources.',
      });
    }
    await tx.query('SELECT lock_spend($1)', [caller.userId]);
    const { rows } = await tx.query<{ id: string; is_new: boolean; caps: number }>(
      `INSERT INTO spend_caps AS cap (id, owner_id, scope, subject, per_day_usd) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (owner_id, scope, subject) DO UPDATE SET per_day_usd = excluded.per_day_usd
       RETURNING id, id = $1 AS is_new, (SELECT count(*)::int FROM spend_caps WHERE owner_id = $2) AS caps`,
      [newId(), caller.userId, wanted.scope, subject, wanted.perDayUsd],
    );
    const made = rows[0];
    if (made?.is_new && made.caps >= MAX_CAPS) {
      throw new Problem('conflict', { detail: `There are at most ${MAX_CAPS} caps: delete one first.` });
    }
    forgetCaps();
    if (made?.is_new) {
      // What was spent today before there was a cap counts too.
      await asSystem((system) => system.query(COUNT_TODAY, [caller.userId]));
    }
    const [shown] = await readSpendCaps(tx, caller.userId, made?.id);
    return shown as z.input<typeof spendCap>;
  },
});

/** Idempotent: calls that are counted already stay as they are. */
const COUNT_TODAY = `
  SELECT count_spend(logged) FROM x402_prompt_template_usage_logs logged
  WHERE owner_id = $1 AND at >= date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AND cost_usd IS NOT NULL`;

function toSubject({ scope, subject }: { scope: z.output<typeof spendCap>['scope']; subject: string }): string {
  if (scope === 'key') {
    return assertFits(subject === EACH, 'The key needs no subject.') && '';
  }
  if (subject === EACH) {
    return EACH;
  }
  if (scope === 'payer') {
    assertFits(/^(0x[0-9a-fA-F]{40}|(?!0x)[!-~]{1,128})$/.test(subject), 'This is no address of a wallet.');
    return subject.startsWith('0x') ? subject.toLowerCase() : subject;
  }
  assertFits(z.uuid().safeParse(subject).success, 'This is no id of a resource.');
  return subject.toLowerCase();
}

function assertFits(fits: boolean, message: string): true {
  if (!fits) {
    throw toInvalidInput([{ path: '/subject', message }]);
  }
  return true;
}
