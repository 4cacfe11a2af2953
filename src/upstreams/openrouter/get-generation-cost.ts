import { Big } from 'big.js';
import { z } from 'zod';
import { toDecimalText } from '../chat-completions/parse-json.ts';
import { getJson, type JsonGet } from './get-json.ts';

/** `later`: not stored yet, or nobody answered as expected; it may be asked again. */
export type GenerationCost = { ok: true; costUsd: string } | { ok: false; reason: 'later' | 'refused_key' };

const amount = z.string().nullish().catch(null);
const form = z.object({
  data: z.object({
    total_cost: amount,
    upstream_inference_cost: amount,
    is_byok: z.boolean().nullish().catch(null),
  }),
});
const AMOUNTS = ['total_cost', 'upstream_inference_cost'];

/**
 * `GET /generation`, once: what a generation did cost in all. With a provider's own key behind it `total_cost` is only what
 * OpenRouter takes for that; the provider's bill comes on top. Never throws.
 */
export async function getGenerationCost(
  source: JsonGet,
  { generationId, apiKey }: { generationId: string; apiKey: string },
): Promise<GenerationCost> {
  const path = `${source.basePath}/generation?id=${encodeURIComponent(generationId)}`;
  const request = { path, apiKey, timeoutMs: 5_000, maxBytes: 200_000, exactKeys: AMOUNTS };
  const got = await getJson(source, request).catch(() => null);
  if (got?.status === 401 || got?.status === 403) {
    return { ok: false, reason: 'refused_key' };
  }
  const told = got?.status === 200 ? form.safeParse(got.body).data?.data : undefined;
  const own = toDecimalText(told?.total_cost);
  const providers = told?.is_byok ? toDecimalText(told.upstream_inference_cost) : '0';
  return own === null || providers === null
    ? { ok: false, reason: 'later' }
    : { ok: true, costUsd: new Big(own).plus(providers).toFixed() };
}
