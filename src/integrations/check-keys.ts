import type { Tx } from '#database/index.ts';
import type { Log } from '#kit/index.ts';
import { changeIntegration } from './change-integration.ts';
import { checkGiven } from './check-given.ts';
import type { IntegrationDeps, IntegrationRow } from './integration.ts';
import type { IntegrationService } from './integration-service.ts';
import { toNextCheck } from './next-check.ts';
import { getService, toKeyPlace } from './open-key.ts';
import { storeVerdict, toVerdict } from './store-verdict.ts';

type CheckDeps = IntegrationDeps & { log: Pick<Log, 'warn'> };

/**
 * A call met a refusal, and the check does not see what is behind it: most keys are not told the balance of their account. Then
 * the key is tried again after this time, so that at most one call an hour fails for it: uncharged, or owed where it was paid
 * first. The same holds for an account that was empty when its balance was last told.
 */
const DOUBT_MS = 3_600_000;
const BATCH = 500;
const AT_ONCE = 4;
/** A provider that answers nothing to so many in a row is asked no more in this turn. */
const MOST_UNCLEAR = 10;

/**
 * Asks the providers again about stored keys that are due, keeps what they say, and pauses or resumes what depends on a key
 * that has changed. A provider that cannot be asked changes nothing but the time of the next look. For a job; bears being
 * repeated.
 * @returns how many keys were looked at.
 */
export async function checkKeys(deps: CheckDeps): Promise<number> {
  let checked = 0;
  for (const service of deps.services) {
    const waiting = await findDue(deps, service);
    let unclear = 0;
    const work = async (): Promise<void> => {
      for (let row = waiting.shift(); row !== undefined && unclear < MOST_UNCLEAR; row = waiting.shift()) {
        unclear = (await tryCheck(deps, service, row)) === 'unclear' ? unclear + 1 : 0;
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

type Looked = 'judged' | 'doubtful' | 'unclear' | 'failed';

/** Whatever comes of it, the key's next turn is another one's before: what teaches nothing does not keep others waiting. */
async function tryCheck(deps: CheckDeps, service: IntegrationService, row: IntegrationRow): Promise<Looked> {
  try {
    const looked = await judge(deps, service, row);
    if (looked !== 'judged') {
      await postpone(deps, service, { row, found: 'bad' });
    }
    return looked;
  } catch (err) {
    deps.log.warn({ err, service: service.name }, 'a stored key could not be looked at');
    // What cannot be opened will not open by itself.
    await postpone(deps, service, { row, found: 'good' }).catch(() => {});
    return 'failed';
  }
}

async function findDue({ vault }: CheckDeps, { table }: IntegrationService): Promise<IntegrationRow[]> {
  const { rows } = await vault.database.system.query<IntegrationRow>(
    `SELECT * FROM ${table} WHERE is_enabled AND next_check_at <= $1 ORDER BY next_check_at LIMIT ${BATCH}`,
    [new Date(vault.clock.now())],
  );
  return rows;
}

async function postpone(
  { vault }: CheckDeps,
  { table }: IntegrationService,
  { row, found }: { row: IntegrationRow; found: 'good' | 'bad' },
): Promise<void> {
  await vault.database.asUser(row.owner_id, (tx) =>
    tx.query(`UPDATE ${table} SET next_check_at = $3 WHERE owner_id = $1 AND key_hash = $2`, [
      row.owner_id,
      row.key_hash,
      toNextCheck(vault.clock.now(), found),
    ]),
  );
}

async function judge(deps: CheckDeps, service: IntegrationService, row: IntegrationRow): Promise<Looked> {
  const { vault } = deps;
  const ownerId = row.owner_id;
  const key = await vault.open(vault.database.system, toKeyPlace(service, ownerId), row.sealed_key);
  const before = service.shown.parse(row.snapshot);
  const checked = await checkGiven(deps, service, service.toGiven(key, before));
  if (checked.verdict === 'unclear') {
    return 'unclear';
  }
  const now = vault.clock.now();
  if (checked.verdict === 'good' && checked.hasCredit === null && isInDoubt(service, row, now)) {
    return 'doubtful';
  }
  const verdict = toVerdict(row, before, checked);
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
  return 'judged';
}

/** Is there a refusal, or a balance of nothing, that an answer without a balance does not disprove? */
function isInDoubt(service: IntegrationService, row: IntegrationRow, now: number): boolean {
  const isSpent = !row.is_valid && (service.isSpent?.(service.shown.parse(row.snapshot)) ?? false);
  const since = row.refused_at ?? (isSpent ? (row.last_credit_check ?? row.last_checked_at) : null);
  return since !== null && now - since.getTime() < DOUBT_MS;
}
