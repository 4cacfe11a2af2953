import { safeParse } from '#kit/index.ts';
import { z } from 'zod';
import { toDecimalText } from '../chat-completions/parse-json.ts';
import { getJson, type JsonGet } from './get-json.ts';
import type { Capability, ImageEndpoint, VideoModel } from './media.ts';

const TIMEOUT_MS = 5_000;
const MAX_BYTES = 4_000_000;

const line = z.object({
  billable: z.string(),
  unit: z.string(),
  cost_usd: z.string(),
  variant: z.string().nullish().catch(null),
});
const told = z.discriminatedUnion('type', [
  z.object({ type: z.literal('enum'), values: z.array(z.string()) }),
  z.object({ type: z.literal('range'), min: z.number(), max: z.number() }),
]);
/** Flags, and forms that are not known: that the setting is taken is all that they tell. */
const capability = z.unknown().transform((given): Capability => told.safeParse(given).data ?? { type: 'any' });
const endpoint = z.object({
  provider_tag: z.string().nullish().catch(null),
  supported_parameters: z.record(z.string(), capability).nullish().catch(null),
  pricing: z.array(line),
});
const endpointsForm = z.object({ endpoints: z.array(endpoint).min(1) });

/** `GET /images/models/{author}/{slug}/endpoints`. One line that cannot be read makes the whole list unreadable. Never throws. */
export async function listImageEndpoints(source: JsonGet, modelId: string): Promise<ImageEndpoint[] | null> {
  const [author = '', slug = ''] = modelId.split('/').map(encodeURIComponent);
  const path = `${source.basePath}/images/models/${author}/${slug}/endpoints`;
  const body = await get(source, path, ['cost_usd']);
  const given = safeParse(z.object({ data: endpointsForm }), body).data?.data ?? safeParse(endpointsForm, body).data;
  const found = (given?.endpoints ?? []).map(toImageEndpoint);
  const known = found.flatMap((one) => (one === null ? [] : [one]));
  return known.some(({ prices }) => prices.length > 0) && known.length === found.length ? known : null;
}

function toImageEndpoint(given: z.output<typeof endpoint>): ImageEndpoint | null {
  const prices = given.pricing.flatMap(({ billable, unit, cost_usd: cost, variant }) => {
    const usd = toDecimalText(cost);
    return usd === null ? [] : [{ billable, unit, usd, variant: variant ?? null }];
  });
  return prices.length < given.pricing.length
    ? null
    : { tag: given.provider_tag ?? null, prices, capabilities: given.supported_parameters ?? null };
}

const flag = z.boolean().nullish().catch(null);
const texts = z.array(z.string()).nullish().catch(null);
const videoModel = z.object({
  id: z.string(),
  pricing_skus: z.record(z.string(), z.unknown()).nullish().catch(null),
  supported_durations: z.array(z.number()).nullish().catch(null),
  supported_resolutions: texts,
  supported_aspect_ratios: texts,
  supported_sizes: texts,
  supported_frame_images: texts,
  seed: flag,
  generate_audio: flag,
});
const videoForm = z.object({ data: z.array(videoModel.nullable().catch(null)) });

/** `GET /videos/models`. Never throws. */
export async function listVideoModels(source: JsonGet): Promise<VideoModel[] | null> {
  const found = safeParse(videoForm, await get(source, `${source.basePath}/videos/models`, [])).data;
  return found ? found.data.flatMap((model) => (model ? [toVideoModel(model)] : [])) : null;
}

/** A price that cannot be read leaves no prices: leaving one out would make the model look cheaper than it is. */
function toVideoModel(model: z.output<typeof videoModel>): VideoModel {
  const skus = Object.entries(model.pricing_skus ?? {}).map(([sku, usd]) => [sku, toDecimalText(usd)] as const);
  const isReadable = skus.every(([, usd]) => usd !== null);
  return {
    id: model.id,
    skus: isReadable ? Object.fromEntries(skus.map(([sku, usd]) => [sku, usd ?? ''])) : {},
    durationsSeconds: model.supported_durations ?? [],
    resolutions: model.supported_resolutions ?? [],
    aspectRatios: model.supported_aspect_ratios ?? [],
    sizes: model.supported_sizes ?? [],
    frameTypes: model.supported_frame_images ?? [],
    takesSeed: model.seed ?? null,
    makesSound: model.generate_audio ?? null,
  };
}

async function get(source: JsonGet, path: string, exactKeys: string[]): Promise<unknown> {
  const got = await getJson(source, { path, timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES, exactKeys }).catch(() => null);
  return got?.status === 200 ? got.body : null;
}
