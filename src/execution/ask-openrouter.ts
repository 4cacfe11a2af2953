import type { PublishedVersion, Readiness } from '#resources/index.ts';
import { toModelCause } from './check-model.ts';
import type { ExecutionDeps } from './execution-deps.ts';
import { findOpenRouterKey, OPENROUTER, refuseShared, type Wanted } from './find-key.ts';
import { findModelsFault } from './named-model.ts';

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
  const fault = await findModelsFault(deps, wanted.models);
  if (fault !== null) {
    return { ready: false, cause: toModelCause(fault) };
  }
  const refused =
    key.source === 'platform' && deps.platformKey !== null
      ? await refuseShared(deps.platformKey, version, wanted)
      : null;
  return refused ?? { ready: true };
}
