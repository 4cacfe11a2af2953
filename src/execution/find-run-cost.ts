import type { GenerationCost } from '#upstreams/index.ts';
import type { ExecutionDeps, ShareTx } from './execution-deps.ts';
import { OPENROUTER } from './find-key.ts';

export interface RunCostDeps extends Pick<ExecutionDeps, 'openCreatorKey' | 'platformKey'> {
  /** Asked with a key of the account that it belongs to. Never rejects. */
  findGenerationCost(asked: { generationId: string; apiKey: string }): Promise<GenerationCost>;
}

interface PaidRun {
  callId: string;
  ownerId: string;
  generationId: string;
  keySource: 'own' | 'platform' | null;
}

/** What a run did cost that told nothing of it, asked with the key that paid for it; null while that is not known. */
export async function findRunCost(deps: RunCostDeps, run: PaidRun): Promise<string | null> {
  const { ownerId, generationId, keySource } = run;
  const key = keySource === 'platform' ? deps.platformKey : await deps.openCreatorKey(ownerId, OPENROUTER);
  if (!key) {
    return null;
  }
  const found = await deps.findGenerationCost({ generationId, apiKey: key.apiKey });
  return found.ok ? found.costUsd : null;
}

/** Told later: the operator's key was counted at its worst for this run. To be called once for each run, in `tx`. */
export async function correctShare(
  deps: Pick<RunCostDeps, 'platformKey'>,
  { tx, callId, keySource }: Pick<PaidRun, 'callId' | 'keySource'> & { tx: ShareTx },
  costUsd: string,
): Promise<void> {
  if (keySource === 'platform') {
    await deps.platformKey?.budget?.correct(tx, callId, costUsd);
  }
}
