import { safeParse } from '#kit/index.ts';
import { z } from 'zod';
import { toTrueCost } from '../chat-completions/true-cost.ts';
import { getJson, type JsonGet } from './get-json.ts';

/** `later`: not stored yet, or nobody answered; it may be asked again. `untold`: this key is not told, now or ever. */
export type GenerationCost = { ok: true; costUsd: string } | { ok: false; reason: 'later' | 'untold' };

interface Asked {
  generationId: string;
  apiKey: string;
  timeoutMs?: number;
}

const EXACT_KEYS = ['total_cost', 'upstream_inference_cost'];

const amount = z.string().nullish().catch(null);
const form = z.object({
  data: z.object({
    total_cost: amount,
    is_byok: z.boolean().nullish().catch(null),
    upstream_inference_cost: amount,
  }),
});

/** `GET /generation`, once: what a generation did cost in all. Never throws. */
export async function getGenerationCost(source: JsonGet, asked: Asked): Promise<GenerationCost> {
  const { generationId, apiKey, timeoutMs = 5_000 } = asked;
  const path = `${source.basePath}/generation?id=${encodeURIComponent(generationId)}`;
  const got = await getJson(source, { path, apiKey, timeoutMs, maxBytes: 200_000, exactKeys: EXACT_KEYS }).catch(
    () => null,
  );
  const told = safeParse(form, got?.body).data?.data;
  const costUsd = toTrueCost({
    cost: told?.total_cost,
    isByok: told?.is_byok,
    upstreamCost: told?.upstream_inference_cost,
  });
  if (got?.status === 200 && costUsd !== null) {
    return { ok: true, costUsd };
  }
  return { ok: false, reason: got === null || got.status === 404 || got.status >= 500 ? 'later' : 'untold' };
}
