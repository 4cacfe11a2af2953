import { judgeCredits, judgeUse, type CreditFacts } from './judge-use.ts';
import type { NoticesDeps } from './notices-deps.ts';
import { lockEvent, observe, readFacts, tell, type Observation } from './tell.ts';
import { watchSpend } from './watch-spend.ts';
import type { WatchedErrors, WatchSources } from './watch-sources.ts';

type WatchDeps = Pick<NoticesDeps, 'database' | 'clock' | 'log'> & { sources: WatchSources };

const HOUR_MS = 3_600_000;
/** What is run again by itself at once is no news. */
const OWED_FOR_MS = 60_000;
const OWED_LEVELS = [1, 10, 100];
/** About so many settlements are left. */
const GAS_LEVELS = [1_000, 100, 10];
const LEAST_FAILURES = 5;
const LEAST_SHARE = 0.2;
/** Of what is usual. */
const TIMES_USUAL = 3;
const USUAL_HOURS = 7 * 24;

/** Looks at what changes with each call: credits, limits and caps, errors, owed calls, gas. For a job; bears being repeated. */
export async function watchMoney(deps: WatchDeps): Promise<void> {
  await Promise.all([
    watchBalances(deps),
    watchSpend(deps),
    watchOwed(deps),
    watchErrors(deps),
    watchGas(deps),
    watchOperatorKey(deps),
  ]);
}

async function watchBalances({ database, clock, sources }: WatchDeps): Promise<void> {
  await database.transaction(async (tx) => {
    await lockEvent(tx, 'credits_low');
    const balances = await sources.listBalances();
    const facts = await readFacts(tx, 'credits_low');
    const credits = balances.flatMap(
      ({ ownerId, service, provider, keyHash, creditsUsd }): Observation<'credits_low'>[] => {
        if (creditsUsd === null) {
          return [];
        }
        const before = (facts.get(`${ownerId} ${service}`) ?? null) as CreditFacts | null;
        const { use, facts: kept } = judgeCredits(before, { balance: creditsUsd, keyHash });
        const data = { service, provider, percent: use.percent, leftUsd: creditsUsd, ofUsd: kept.whole };
        return [{ ownerId, subject: service, level: use.level, data, facts: kept }];
      },
    );
    const limits = balances.flatMap((balance): Observation<'limit_used'>[] => {
      const { ownerId, service, provider, limitUsd, limitLeftUsd, limitReset: reset } = balance;
      if (limitUsd === null || limitLeftUsd === null) {
        return [];
      }
      const use = judgeUse({ left: limitLeftUsd, whole: limitUsd });
      const data = { service, provider, percent: use.percent, leftUsd: limitLeftUsd, ofUsd: limitUsd, reset };
      return [{ ownerId, subject: service, level: use.level, data }];
    });
    await observe({ tx, clock }, 'credits_low', { seen: credits, isWhole: true });
    await observe({ tx, clock }, 'limit_used', { seen: limits, isWhole: true });
  });
}

async function watchOwed({ database, clock, sources }: WatchDeps): Promise<void> {
  await database.transaction(async (tx) => {
    await lockEvent(tx, 'calls_owed');
    const owed = await sources.listOwed(tx, new Date(clock.now() - OWED_FOR_MS));
    const slugs = await sources.listSlugs(
      tx,
      owed.map(({ resourceId }) => resourceId),
    );
    const seen = owed.flatMap(({ ownerId, resourceId, calls, since }): Observation<'calls_owed'>[] => {
      const slug = slugs.get(resourceId);
      const level = OWED_LEVELS.filter((least) => calls >= least).length;
      const data = { slug: slug ?? '', calls, since: since.toISOString() };
      return slug === undefined ? [] : [{ ownerId, subject: resourceId, level, data }];
    });
    await observe({ tx, clock }, 'calls_owed', { seen, isWhole: true });
  });
}

async function watchErrors({ database, clock, sources }: WatchDeps): Promise<void> {
  await database.transaction(async (tx) => {
    await lockEvent(tx, 'error_spike');
    const since = new Date(clock.now() - HOUR_MS);
    const usualSince = new Date(since.getTime() - USUAL_HOURS * HOUR_MS);
    const rates = await sources.listErrorRates(tx, { since, usualSince, leastFailures: LEAST_FAILURES });
    const spikes = rates.filter(isSpike);
    const slugs = await sources.listSlugs(
      tx,
      spikes.map(({ resourceId }) => resourceId),
    );
    const seen = spikes.flatMap((rate): Observation<'error_spike'>[] => {
      const { ownerId, resourceId, failures, calls, problem } = rate;
      const slug = slugs.get(resourceId);
      const data = { slug: slug ?? '', failures, calls, usualPercent: Math.round(toUsual(rate) * 100), problem };
      return slug === undefined ? [] : [{ ownerId, subject: resourceId, level: 1, data }];
    });
    await observe({ tx, clock }, 'error_spike', { seen, isWhole: true });
  });
}

function toUsual({ usualCalls, usualFailures }: WatchedErrors): number {
  return usualCalls === 0 ? 0 : usualFailures / usualCalls;
}

function isSpike(rate: WatchedErrors): boolean {
  const share = rate.calls === 0 ? 0 : rate.failures / rate.calls;
  return share >= LEAST_SHARE && share >= TIMES_USUAL * toUsual(rate);
}

/** The network is asked before the transaction. What could not be asked stands as it was. */
async function watchGas(deps: WatchDeps): Promise<void> {
  const { database, clock, sources } = deps;
  const reserves = await sources.listGas();
  await database.transaction(async (tx) => {
    await lockEvent(tx, 'settler_gas_low');
    const operators = await sources.listOperators(tx);
    const seen = reserves.flatMap(({ network, settlements, addresses }) => {
      const level = GAS_LEVELS.filter((most) => settlements < most).length;
      const data = { network, settlements, addresses: [...addresses] };
      return operators.map((ownerId): Observation<'settler_gas_low'> => ({ ownerId, subject: network, level, data }));
    });
    await observe({ tx, clock }, 'settler_gas_low', { seen, isWhole: false });
  });
  warnOfGas(deps, reserves);
}

/** Once a day: what a call has found stands for a minute only, and is found again by the next. */
async function watchOperatorKey({ database, clock, sources }: WatchDeps): Promise<void> {
  const problem = await sources.findOperatorKeyProblem();
  if (problem === null) {
    return;
  }
  const occasion = new Date(clock.now()).toISOString().slice(0, 10);
  await database.transaction(async (tx) => {
    const operators = await sources.listOperators(tx);
    const data = { provider: 'OpenRouter', problem };
    const told = operators.map((ownerId) => ({ ownerId, subject: 'openrouter', occasion, data }));
    await tell({ tx, clock }, 'operator_key_refused', told);
  });
}

/** Also where no account is an operator's. */
function warnOfGas({ log }: WatchDeps, reserves: Awaited<ReturnType<WatchSources['listGas']>>): void {
  for (const { network, settlements, addresses } of reserves) {
    if (settlements < (GAS_LEVELS.at(-1) ?? 0)) {
      log.warn({ network, settlements, addresses }, 'little gas is left for settlements');
    }
  }
}
