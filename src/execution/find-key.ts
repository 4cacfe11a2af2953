import { readModelName } from '#models/index.ts';
import type { PublishedVersion, Readiness } from '#resources/index.ts';
import type { ExecutionDeps, PlatformBudget, PlatformKey } from './execution-deps.ts';
import type { ModelNeed } from './named-model.ts';

/** The integration whose keys run models on OpenRouter. */
export const OPENROUTER = 'openrouter';

export type FoundKey =
  | { apiKey: string; source: 'creator'; service: string }
  | { apiKey: string; source: 'platform' | 'upstream' };

type Owned = Pick<PublishedVersion, 'ownerId' | 'creator'>;
type NotReady = Extract<Readiness, { ready: false }>;

const OWN_KEY = 'store a key of your own: PUT /api/user/integrations/openrouter {"apiKey": "sk-or-v1-…"}.';

/** The creator's own OpenRouter key; where none works, the operator's where its policy names the creator. */
export async function findOpenRouterKey(
  deps: Pick<ExecutionDeps, 'openCreatorKey' | 'platformKey'>,
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
export function isCovered({ policy }: Pick<PlatformKey, 'policy'>, creator: string): boolean {
  return policy === 'everybody' || policy.includes(creator);
}

/** What a key is wanted for. */
export interface Wanted extends ModelNeed {
  /** As the config, or the request, names them. */
  models: readonly string[];
  /** The most that one call may cost, USD as a decimal; null where nobody knows before it. */
  quoteWorst(): Promise<string | null>;
}

/** What is run on the operator's key is bounded: by what a call may cost, and by the day's share of its creator. */
export async function refuseShared(
  { budget, health }: PlatformKey,
  { ownerId }: Owned,
  { models, quoteWorst, declared }: Wanted,
): Promise<NotReady | null> {
  const worstUsd = await quoteWorst();
  const unfit = findUnfit({ models, worstUsd, budget, isDeclared: Boolean(declared) });
  if (unfit !== null) {
    return unfit;
  }
  const outageSeconds = (await health?.findOutage()) ?? null;
  if (outageSeconds !== null) {
    return { ready: false, cause: keyDown, retryAfterSeconds: outageSeconds };
  }
  const isBounded = budget !== undefined && worstUsd !== null;
  return !isBounded || (await budget.hasRoom(ownerId, worstUsd)) ? null : toSpent(budget, worstUsd);
}

/** What never runs on the operator's key; null for everything else. It is resumed with a key of its owner. */
export function findUnfit(asked: {
  models: readonly string[];
  worstUsd: string | null;
  budget: PlatformBudget | undefined;
  isDeclared?: boolean | undefined;
}): NotReady | null {
  const { models, worstUsd, budget, isDeclared } = asked;
  if (isDeclared) {
    return needsKey(
      `key_needed: Prices that you declare bound only what you pay yourself, and your resources run on the operator's key. To sell this model, ${OWN_KEY}`,
    );
  }
  if (models.some((model) => readModelName(model).some(({ preset }) => preset !== null))) {
    return needsKey(
      `key_needed: A preset is one of the OpenRouter account that runs it, and your resources run on the operator's key. To use presets of yours, ${OWN_KEY}`,
    );
  }
  if (budget === undefined) {
    return null;
  }
  if (worstUsd === null) {
    return needsKey(
      `key_needed: What a call of this may cost is not known before it (a router, or a price that the catalogue does not tell), so it is not run on the operator's OpenRouter key. Choose models with a price, or ${OWN_KEY}`,
    );
  }
  return Number(worstUsd) <= Number(budget.dailyUsd)
    ? null
    : needsKey(
        `platform_share_too_small: One call may cost up to ${worstUsd} USD, and your share of the operator's OpenRouter key, which this runs on, is ${budget.dailyUsd} USD a day. Lower maxTokens or what parameters may be long, choose a cheaper model, or ${OWN_KEY}`,
      );
}

function needsKey(cause: string): NotReady {
  return { ready: false, cause, lacksKey: true };
}

/** What is left of the creator's share of the operator's key does not cover another call today. */
export function toSpent(budget: PlatformBudget, worstUsd: string): NotReady {
  return {
    ready: false,
    cause: `platform_limit_reached: Your resources run on the operator's OpenRouter key, with at most ${budget.dailyUsd} USD a day. What is left of today's share does not cover one more call, which may cost up to ${worstUsd} USD. The share begins anew at 00:00 UTC. To go on now, ${OWN_KEY}`,
    retryAfterSeconds: budget.retryAfterSeconds(),
  };
}

/** The creator can do nothing about the operator's key, and learns nothing of it. */
export const keyDown = `platform_key_down: This runs on the operator's OpenRouter key, which does not work at the moment. The operator has been told. To go on now, ${OWN_KEY}`;
