import { toBase64, toDataUrl } from '#kit/index.ts';
import type { SentPicture } from './media.ts';

/** `ContentPartImage` of OpenRouter's OpenAPI document, with the bytes themselves. */
export function toImagePart({ contentType, bytes }: SentPicture) {
  return { type: 'image_url', image_url: { url: toDataUrl(contentType, bytes) } };
}

/** Errors repeat the beginning of a file, if any of it; longer runs of base64 are never quoted (`quoteUpstream`). */
const ECHOED_BYTES = 600;

/** What of a picture must not be quoted back. */
export function toEcho({ bytes }: SentPicture): string {
  return toBase64(bytes.subarray(0, ECHOED_BYTES));
}
