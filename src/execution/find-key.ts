import type { PublishedVersion } from '#resources/index.ts';
import type { ExecutionDeps } from './execution-deps.ts';

/** The integration whose keys run models on OpenRouter. */
export const OPENROUTER = 'openrouter';

export type FoundKey =
  | { apiKey: string; source: 'creator'; service: string }
  | { apiKey: string; source: 'platform' | 'upstream' };

/** The creator's own OpenRouter key; without one, the operator's where its policy names the creator. */
export async function findOpenRouterKey(
  deps: Pick<ExecutionDeps, 'openCreatorKey' | 'platformKey'>,
  version: Pick<PublishedVersion, 'ownerId' | 'creator'>,
): Promise<FoundKey | null> {
  const own = await deps.openCreatorKey(version.ownerId, OPENROUTER);
  if (own) {
    return { apiKey: own.apiKey, source: 'creator', service: OPENROUTER };
  }
  const { platformKey } = deps;
  const isCovered =
    platformKey !== null && (platformKey.policy === 'everybody' || platformKey.policy.includes(version.creator));
  return isCovered ? { apiKey: platformKey.apiKey, source: 'platform' } : null;
}

/** For the creator. */
export const NO_KEY =
  'key_missing: No OpenRouter key works here: none is stored, or it is disabled, or OpenRouter has refused it. Store or test one under Integrations.';
