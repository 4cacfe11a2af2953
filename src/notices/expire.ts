import type { NoticesDeps } from './notices-deps.ts';

const DAY_MS = 86_400_000;

/** Forgets what is older than the retention; what stands where it stood is not told again for it. */
export async function expireNotices(
  { database, clock }: Pick<NoticesDeps, 'database' | 'clock'>,
  retentionDays: number,
): Promise<void> {
  const before = [new Date(clock.now() - retentionDays * DAY_MS)];
  await database.system.query('DELETE FROM notices WHERE created_at < $1 AND is_spread', before);
  await database.system.query(
    `DELETE FROM notice_messages WHERE updated_at < $1 AND state IN ('sent', 'given_up')`,
    before,
  );
  await database.system.query('DELETE FROM notice_mails WHERE created_at < $1', before);
  await database.system.query('DELETE FROM notice_states WHERE updated_at < $1 AND level = 0', before);
}
