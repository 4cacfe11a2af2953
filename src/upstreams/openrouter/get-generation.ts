import { z } from 'zod';
import { toLabel } from '../chat-completions/collect-answer.ts';
import { toDecimalText } from '../chat-completions/parse-json.ts';
import type { Timers } from '../timers.ts';
import { getJson, type JsonGet } from './get-json.ts';

/** What a generation used, as OpenRouter accounts for it. */
export interface Generation {
  generationId: string;
  model: string | null;
  provider: string | null;
  inputTokens: number | null;
  outputTokens: number | null;
  costUsd: string | null;
  finishReason: string | null;
}

const text = z.string().nullish().catch(null);
const count = z.number().int().nonnegative().nullish().catch(null);
const answer = z.object({
  data: z.object({
    id: z.string(),
    model: text,
    provider_name: text,
    tokens_prompt: count,
    tokens_completion: count,
    native_tokens_prompt: count,
    native_tokens_completion: count,
    total_cost: text,
    finish_reason: text,
  }),
});

/** A generation is stored a moment after it ended: 404 until then. */
const DELAYS_MS = [0, 500, 1_000, 2_000, 4_000, 8_000];

interface GenerationDeps {
  source: JsonGet;
  timers: Timers;
}

/** `GET /generation?id=`, asked again with growing delays for about 15 seconds; null when it stays unknown. */
export async function getGeneration(
  deps: GenerationDeps,
  apiKey: string,
  generationId: string,
): Promise<Generation | null> {
  const path = `${deps.source.basePath}/generation?id=${encodeURIComponent(generationId)}`;
  for (const delayMs of DELAYS_MS) {
    if (delayMs > 0) {
      await new Promise<void>((resolve) => deps.timers.after(delayMs, resolve));
    }
    const request = { path, apiKey, timeoutMs: 10_000, maxBytes: 256_000, exactKeys: ['total_cost'] };
    const got = await getJson(deps.source, request).catch(() => null);
    const parsed = answer.safeParse(got?.body);
    if (got?.status === 200 && parsed.success) {
      return toGeneration(parsed.data.data);
    }
    if (got?.status === 401 || got?.status === 403) {
      return null;
    }
  }
  return null;
}

function toGeneration(data: z.output<typeof answer>['data']): Generation {
  return {
    generationId: data.id,
    model: toLabel(data.model),
    provider: toLabel(data.provider_name),
    inputTokens: data.native_tokens_prompt ?? data.tokens_prompt ?? null,
    outputTokens: data.native_tokens_completion ?? data.tokens_completion ?? null,
    costUsd: toDecimalText(data.total_cost),
    finishReason: toLabel(data.finish_reason),
  };
}
