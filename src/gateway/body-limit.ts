import { isMedia, MAX_MEDIA_BYTES, toMediaCaps } from '#resources/index.ts';
import type { GatewayDeps } from './gateway-deps.ts';

/** Of calls without files. */
export const PLAIN_BODY_BYTES = 256 * 1024;
/** Of many inputs at once. */
const BATCH_BODY_BYTES = 4 * 1024 * 1024;
/** Larger files come by URL or upload: a body is held in memory whole. */
export const MOST_BODY_BYTES = 16 * 1024 * 1024;

/** The most that the body of a call of this resource may have: what its files take as base64, beside the rest. */
export async function findBodyLimit(
  { published }: Pick<GatewayDeps, 'published'>,
  { creator, slug, version: pin, isBatch }: { creator: string; slug: string; version?: number; isBatch?: true },
): Promise<number> {
  const version = await published.find(creator, slug, pin);
  if (isBatch) {
    return version?.batch ? BATCH_BODY_BYTES : PLAIN_BODY_BYTES;
  }
  const files = (version?.parameters ?? []).filter(isMedia);
  const bytes = files.reduce((sum, parameter) => sum + toMediaCaps(parameter).maxBytes, 0);
  const asBase64 = Math.ceil(Math.min(bytes, MAX_MEDIA_BYTES) / 3) * 4;
  return Math.min(PLAIN_BODY_BYTES + asBase64, MOST_BODY_BYTES);
}
