import type { PublishedVersion, Readiness } from '#resources/index.ts';
import type { ExecutionDeps, PlatformBudget } from './execution-deps.ts';

/** The integration whose keys run models on OpenRouter. */
export const OPENROUTER = 'openrouter';

export type FoundKey =
  | { apiKey: string; source: 'creator'; service: string }
  | { apiKey: string; source: 'platform' | 'upstream' };

type KeyDeps = Pick<ExecutionDeps, 'openCreatorKey' | 'platformKey' | 'explainMissingKey'>;
type Owned = Pick<PublishedVersion, 'ownerId' | 'creator'>;

/** The creator's own OpenRouter key; without one, the operator's where its policy names the creator. */
export async function findOpenRouterKey(
  deps: Pick<KeyDeps, 'openCreatorKey' | 'platformKey'>,
  version: Owned,
): Promise<FoundKey | null> {
  const own = await deps.openCreatorKey(version.ownerId, OPENROUTER);
  if (own) {
    return { apiKey: own.apiKey, source: 'creator', service: OPENROUTER };
  }
  const { platformKey } = deps;
  return platformKey !== null && isCovered(platformKey, version.creator)
    ? { apiKey: platformKey.apiKey, source: 'platform' }
    : null;
}

/** Does the operator's key stand in for this creator? */
export function isCovered(
  { policy }: Pick<NonNullable<ExecutionDeps['platformKey']>, 'policy'>,
  creator: string,
): boolean {
  return policy === 'everybody' || policy.includes(creator);
}

/** Is there a key to run with, and may it be used now? */
export async function askKey(deps: KeyDeps, version: Owned): Promise<Readiness> {
  const key = await findOpenRouterKey(deps, version);
  if (key === null) {
    return { ready: false, cause: await deps.explainMissingKey(version.ownerId, OPENROUTER), lacksKey: true };
  }
  const budget = key.source === 'platform' ? deps.platformKey?.budget : undefined;
  return budget === undefined || (await budget.hasRoom(version.ownerId, null)) ? { ready: true } : toSpent(budget);
}

/** The creator's share of the operator's key is used up until tomorrow. */
export function toSpent(budget: PlatformBudget): Extract<Readiness, { ready: false }> {
  return {
    ready: false,
    cause: `platform_limit_reached: Your resources run on the operator's OpenRouter key, with at most ${budget.dailyUsd} USD a day, and today's share is used up. It begins anew at 00:00 UTC. To go on now, store a key of your own: PUT /api/user/integrations/openrouter {"apiKey": "sk-or-v1-…"}.`,
    retryAfterSeconds: budget.retryAfterSeconds(),
  };
}
