import type { ImageEndpoint, MediaUpstream, VideoModel } from '#upstreams/index.ts';
import type { ExecutionDeps } from './execution-deps.ts';
import type { ModelRoute } from './model-route.ts';

/** Price lists that stand outside the catalogue. */
export interface MediaPrices {
  images: readonly ImageEndpoint[] | null;
  video: VideoModel | null;
}

const FRESH_MS = 600_000;
const RETRY_MS = 30_000;
/** A list that could not be read again is used for so long. */
const STALE_MS = 86_400_000;

interface Kept {
  askedAtMs: number;
  goodAtMs: number;
  value: unknown;
}

const kept = new WeakMap<MediaUpstream, Map<string, Kept>>();

type PriceDeps = Pick<ExecutionDeps, 'openRouterMedia' | 'clock'>;

/** Asked for when first needed, then every ten minutes; null where nobody tells. */
export async function findMediaPrices(deps: PriceDeps, route: ModelRoute, modelId: string): Promise<MediaPrices> {
  const { openRouterMedia } = deps;
  switch (route) {
    case 'images': {
      const images = await keep(deps, `images ${modelId}`, () => openRouterMedia.listImageEndpoints(modelId));
      return { images, video: null };
    }
    case 'videos': {
      const models = await keep(deps, 'videos', () => openRouterMedia.listVideoModels());
      return { images: null, video: models?.find(({ id }) => id === modelId) ?? null };
    }
    default:
      return { images: null, video: null };
  }
}

async function keep<T>({ openRouterMedia, clock }: PriceDeps, name: string, ask: () => Promise<T | null>) {
  const lists = kept.get(openRouterMedia) ?? new Map<string, Kept>();
  kept.set(openRouterMedia, lists);
  const known = lists.get(name);
  const now = clock.now();
  const lifetimeMs = known && known.goodAtMs === known.askedAtMs ? FRESH_MS : RETRY_MS;
  if (known && now - known.askedAtMs < lifetimeMs) {
    return known.value as T | null;
  }
  const value = await ask();
  const isStale = value === null && known !== undefined && now - known.goodAtMs < STALE_MS;
  const goodAtMs = value === null ? (known?.goodAtMs ?? 0) : now;
  const used = isStale ? (known.value as T | null) : value;
  lists.set(name, { askedAtMs: now, goodAtMs, value: used });
  return used;
}
