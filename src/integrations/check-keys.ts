import type { Tx } from '#database/index.ts';
import type { Log } from '#kit/index.ts';
import { changeIntegration } from './change-integration.ts';
import { checkGiven } from './check-given.ts';
import type { IntegrationDeps, IntegrationRow } from './integration.ts';
import type { IntegrationService } from './integration-service.ts';
import { getService, toKeyPlace } from './open-key.ts';
import { storeVerdict, type Verdict } from './store-verdict.ts';

type CheckDeps = IntegrationDeps & { log: Pick<Log, 'warn'> };

const GOOD_MS = 30 * 60_000;
/** What is paused for a key comes back this soon after the key does. */
const BAD_MS = 4 * 60_000;
/**
 * A call met a refusal, and the check does not see what is behind it: most keys are not told the balance of their account. Then
 * the key is tried again after this time, so that at most one call an hour fails for it, uncharged.
 */
const DOUBT_MS = 3_600_000;
const BATCH = 500;
const AT_ONCE = 4;

/**
 * Asks the providers again about stored keys that were not looked at for a while, keeps what they say, and pauses or resumes
 * what depends on a key that has changed. A provider that cannot be asked changes nothing. For a job; bears being repeated.
 * @returns how many keys were looked at.
 */
export async function checkKeys(deps: CheckDeps): Promise<number> {
  let checked = 0;
  for (const service of deps.services) {
    const waiting = await findDue(deps, service);
    const work = async (): Promise<void> => {
      for (let row = waiting.shift(); row !== undefined; row = waiting.shift()) {
        await tryCheck(deps, service, row);
        checked += 1;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }
  return checked;
}

/** The same for one owner's key, at once. Never rejects. */
export async function checkKey(deps: CheckDeps, wanted: { ownerId: string; service: string }): Promise<void> {
  const service = getService(deps, wanted.service);
  const { rows } = await deps.vault.database.system
    .query<IntegrationRow>(`SELECT * FROM ${service.table} WHERE owner_id = $1 AND is_enabled AND is_valid`, [
      wanted.ownerId,
    ])
    .catch(() => ({ rows: [] }));
  await Promise.all(rows.map((row) => tryCheck(deps, service, row)));
}

async function tryCheck(deps: CheckDeps, service: IntegrationService, row: IntegrationRow): Promise<void> {
  await judge(deps, service, row).catch((err: unknown) => {
    deps.log.warn({ err, service: service.name }, 'a stored key could not be looked at');
  });
}

async function findDue({ vault }: CheckDeps, { table }: IntegrationService): Promise<IntegrationRow[]> {
  const now = vault.clock.now();
  const { rows } = await vault.database.system.query<IntegrationRow>(
    `SELECT * FROM ${table}
     WHERE is_enabled AND last_checked_at <= CASE WHEN is_valid THEN $1::timestamptz ELSE $2::timestamptz END
     ORDER BY last_checked_at LIMIT ${BATCH}`,
    [new Date(now - GOOD_MS), new Date(now - BAD_MS)],
  );
  return rows;
}

async function judge(deps: CheckDeps, service: IntegrationService, row: IntegrationRow): Promise<void> {
  const { vault } = deps;
  const ownerId = row.owner_id;
  const key = await vault.open(vault.database.system, toKeyPlace(service, ownerId), row.sealed_key);
  const before = service.shown.parse(row.snapshot);
  const checked = await checkGiven(deps, service, service.toGiven(key, before));
  if (checked.verdict === 'unclear') {
    return;
  }
  const now = vault.clock.now();
  const isDoubtful =
    checked.verdict === 'good' &&
    checked.hasCredit === null &&
    row.refused_at !== null &&
    now - row.refused_at.getTime() < DOUBT_MS;
  if (isDoubtful) {
    return;
  }
  const verdict: Verdict =
    checked.verdict === 'good'
      ? { problem: null, label: checked.label, shown: checked.shown }
      : { problem: checked.detail, label: row.label, shown: before };
  const tested = { service, row, checkedAt: new Date(now), unchangedSince: row.updated_at };
  const effects: (() => void)[] = [];
  const afterCommit = (effect: () => void): void => void effects.push(effect);
  await vault.database.asUser(ownerId, async (tx) => {
    const write = (owned: Tx) => storeVerdict(owned, tested, verdict);
    // What is as it was is nothing to announce.
    await (row.is_valid === (verdict.problem === null)
      ? write(tx)
      : changeIntegration({ ...deps, tx, afterCommit }, service, { ownerId, write }));
  });
  effects.forEach((effect) => effect());
}
