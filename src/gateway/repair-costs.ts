import { correctShare, findRunCost, type RunCostDeps } from '#execution/index.ts';
import { closeCostLookup, takeCostLookups, type CostLookup } from '#usage/index.ts';
import type { GatewayDeps } from './gateway-deps.ts';

export type RepairDeps = RunCostDeps & Pick<GatewayDeps, 'database' | 'log'>;

const AT_ONCE = 20;

/** Asks for the cost of runs that told none, such as those whose stream broke off. @returns how many were found. */
export async function repairCosts(deps: RepairDeps): Promise<number> {
  const { system } = deps.database;
  const due = await takeCostLookups(system, AT_ONCE);
  const byCall = [...Map.groupBy(due, ({ callId }) => callId).values()];
  const found = await Promise.all(byCall.map((lookups) => repairInTurn(deps, lookups)));
  return found.reduce((sum, count) => sum + count, 0);
}

/** The runs of one call: the last that is closed sees that nothing more is asked. */
async function repairInTurn(deps: RepairDeps, lookups: readonly CostLookup[]): Promise<number> {
  let found = 0;
  for (const lookup of lookups) {
    found += Number(await repair(deps, lookup));
  }
  return found;
}

async function repair(deps: RepairDeps, lookup: CostLookup): Promise<boolean> {
  const { callId, generationId, isLate } = lookup;
  try {
    const costUsd = await findRunCost(deps, lookup);
    if (costUsd !== null) {
      // Log and share together: of two sweeps that found it, and of one that died between them, each counts it once.
      await deps.database.transaction(async (tx) => {
        if (await closeCostLookup(tx, lookup, costUsd)) {
          await correctShare(deps, { tx, ...lookup }, costUsd);
        }
      });
    } else if (isLate) {
      await deps.database.transaction((tx) => closeCostLookup(tx, lookup, null));
      deps.log.warn({ callId, generationId }, 'what a run has cost was not told within a day');
    }
    return costUsd !== null;
  } catch (err) {
    deps.log.warn({ err, callId, generationId }, 'what a run has cost could not be asked');
    return false;
  }
}
