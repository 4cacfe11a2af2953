import type { Evidence } from '#resources/index.ts';
import type { ChatFacts } from '#upstreams/index.ts';

/** For a call that never reached its upstream. */
export const noEvidence: Evidence = {
  model: null,
  provider: null,
  generationId: null,
  inputTokens: null,
  outputTokens: null,
  costUsd: null,
  finishReason: null,
  firstTokenMs: null,
  attempts: 0,
  isSimulated: false,
};

export function toEvidence(facts: ChatFacts, askedModel: string): Evidence {
  return {
    model: facts.model ?? askedModel,
    provider: facts.provider,
    generationId: facts.generationId,
    inputTokens: facts.usage?.inputTokens ?? null,
    outputTokens: facts.usage?.outputTokens ?? null,
    costUsd: facts.usage?.costUsd ?? null,
    finishReason: facts.finishReason,
    firstTokenMs: facts.firstTokenMs,
    attempts: facts.attempts,
    isSimulated: facts.isSimulated,
  };
}
