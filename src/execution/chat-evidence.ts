import { z } from 'zod';
import type { Evidence } from '#resources/index.ts';
import { modelRoutes } from './model-route.ts';
import type { ChatFacts } from '#upstreams/index.ts';

/** What the chat kinds tell of a run beside what all kinds tell. */
export const chatEvidence = z.object({
  /** Absent: a chat. */
  route: z.enum(modelRoutes).exactOptional(),
  model: z.string().nullable(),
  /** The catalogue's id of `model`, where that is another name: a dated one, or one with suffixes. */
  modelId: z.string().exactOptional(),
  provider: z.string().nullable(),
  generationId: z.string().nullable(),
  inputTokens: z.number().nullable(),
  outputTokens: z.number().nullable(),
  finishReason: z.string().nullable(),
  /** By the catalogue's prices, before the call; null where nobody knows. */
  expectedCostUsd: z.string().nullable().default(null),
  worstCostUsd: z.string().nullable().default(null),
  /** What of the request was put in another way, or left out, because the upstream does not take it. */
  adjustments: z.array(z.string()),
  /** The first answer did not fit the outputSchema and was asked for again: tokens and cost are of both. */
  isRepaired: z.literal(true).exactOptional(),
  /** Prices and limits of the model are those that its creator declared. */
  isModelDeclared: z.literal(true).exactOptional(),
});

/** Of an answer that has begun, of which no more is known. */
export function toBegunEvidence(
  askedModel: string,
  { isSimulated, firstTokenMs }: Pick<ChatFacts, 'isSimulated' | 'firstTokenMs'>,
): Evidence {
  const unknown = { model: null, provider: null, generationId: null, usage: null, finishReason: null, adjustments: [] };
  return toEvidence({ ...unknown, isSimulated, firstTokenMs, latencyMs: 0, attempts: 1 }, askedModel);
}

export function toEvidence(facts: ChatFacts, askedModel: string): Evidence {
  const own: z.output<typeof chatEvidence> = {
    model: facts.model ?? askedModel,
    provider: facts.provider,
    generationId: facts.generationId,
    inputTokens: facts.usage?.inputTokens ?? null,
    outputTokens: facts.usage?.outputTokens ?? null,
    finishReason: facts.finishReason,
    expectedCostUsd: null,
    worstCostUsd: null,
    adjustments: [...facts.adjustments],
  };
  return {
    attempts: facts.attempts,
    firstOutputMs: facts.firstTokenMs,
    costUsd: facts.usage?.costUsd ?? null,
    isSimulated: facts.isSimulated,
    own,
  };
}
