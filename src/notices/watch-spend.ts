import { Big } from 'big.js';
import type { Tx } from '#database/index.ts';
import { lockEvent, tell, type Told } from './tell.ts';
import { toOccasion, toSubject, toTaken } from './tell-refusal.ts';
import type { NoticesDeps } from './notices-deps.ts';
import type { WatchedCap, WatchSources } from './watch-sources.ts';

type WatchDeps = Pick<NoticesDeps, 'database' | 'clock'> & { sources: Pick<WatchSources, 'listUsedCaps'> };

/** In percent. Half of a day's money is spent on every good day. */
const THRESHOLDS = [75, 90] as const;

/**
 * Tells caps that are nearly used up, each threshold once a day and number. What calls under way hold comes and goes, so
 * that a lower threshold is not told after a higher one, and none after a refusal.
 */
export async function watchSpend({ database, clock, sources }: WatchDeps): Promise<void> {
  await database.transaction(async (tx) => {
    await lockEvent(tx, 'spend_cap_used');
    const caps = await sources.listUsedCaps(tx, String(THRESHOLDS[0] / 100));
    const before = await listTold(tx, caps);
    const told = caps.flatMap((cap): Told<'spend_cap_used'>[] => {
      const percent = THRESHOLDS.findLast((least) =>
        new Big(cap.spentUsd).times(100).gte(new Big(cap.perDayUsd).times(least)),
      );
      const occasion = toOccasion(cap);
      const subject = toSubject(cap);
      const isPast = (beyond: string): boolean => before.has(`${cap.ownerId} ${subject} ${occasion}${beyond}`);
      if (percent === undefined || isPast('') || THRESHOLDS.some((least) => least >= percent && isPast(` ${least}`))) {
        return [];
      }
      const data = { ...toTaken(cap), percent };
      return [{ ownerId: cap.ownerId, subject, occasion: `${occasion} ${percent}`, data }];
    });
    await tell({ tx, clock }, 'spend_cap_used', told);
  });
}

async function listTold(tx: Tx, caps: readonly WatchedCap[]): Promise<ReadonlySet<string>> {
  const { rows } = await tx.query<{ name: string }>(
    `SELECT owner_id || ' ' || subject || ' ' || occasion AS name FROM notices
     JOIN jsonb_to_recordset($1::jsonb) AS x(owner_id text, subject text) USING (owner_id, subject)
     WHERE event IN ('spend_cap_used', 'spend_cap_reached')`,
    [JSON.stringify(caps.map((cap) => ({ owner_id: cap.ownerId, subject: toSubject(cap) })))],
  );
  return new Set(rows.map(({ name }) => name));
}
