import { Big } from 'big.js';
import type { PublishedVersion, Readiness } from '#resources/index.ts';
import { toModelCause } from './check-model.ts';
import type { ExecutionDeps } from './execution-deps.ts';
import { findOpenRouterKey, findUnfit, OPENROUTER, refuseShared, toSpent, type Wanted } from './find-key.ts';
import { findModelsFault } from './named-model.ts';

/**
 * Before a call is paid: sets the most that it may cost aside where the operator's key will pay for it, and the run takes
 * that. Without it calls that are paid at once would all see the same room, and be paid for what cannot run.
 */
export async function holdOpenRouter(
  deps: ExecutionDeps,
  version: PublishedVersion,
  { callId, runs, models, quoteWorst, declared }: Wanted & { callId: string; runs: number },
): Promise<Readiness> {
  const key = await findOpenRouterKey(deps, version);
  const budget = deps.platformKey?.budget;
  if (key?.source !== 'platform' || budget === undefined) {
    return { ready: true };
  }
  const worstOfOne = await quoteWorst();
  const worstUsd = worstOfOne && new Big(worstOfOne).times(runs).toFixed();
  const unfit = findUnfit({ models, worstUsd, budget, isDeclared: Boolean(declared) });
  if (unfit !== null || worstUsd === null) {
    return unfit ?? { ready: true };
  }
  return (await budget.hold(version.ownerId, { callId, worstUsd })) ? { ready: true } : toSpent(budget, worstUsd);
}

/** Is there a key and a model to run a version with on OpenRouter, and may the key be used now? */
export async function askOpenRouter(
  deps: ExecutionDeps,
  version: PublishedVersion,
  wanted: Wanted,
): Promise<Readiness> {
  const key = await findOpenRouterKey(deps, version);
  if (key === null) {
    return { ready: false, cause: await deps.explainMissingKey(version.ownerId, OPENROUTER), lacksKey: true };
  }
  const fault = await findModelsFault(deps, wanted.models, wanted);
  if (fault !== null) {
    return { ready: false, cause: toModelCause(fault) };
  }
  const refused =
    key.source === 'platform' && deps.platformKey !== null
      ? await refuseShared(deps.platformKey, version, wanted)
      : null;
  return refused ?? { ready: true };
}
