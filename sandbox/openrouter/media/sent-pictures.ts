import { imageSize } from 'image-size';
import { z } from 'zod';
import { refuse } from '../refusal.ts';
import type { Refusal } from '../refusal.ts';

/** `ContentPartImage` */
export const imagePart = z.looseObject({
  type: z.literal('image_url'),
  image_url: z.looseObject({ url: z.string().min(1) }),
});

type ImagePart = z.output<typeof imagePart>;

const readable: ReadonlySet<string> = new Set(['png', 'jpg', 'webp', 'gif']);
/** What is not looked at: an address is not fetched here. */
const USUAL_MEGAPIXELS = 1;

/** Begun ones count as whole; a refusal where one of them is no picture. */
export function measurePictures(parts: readonly ImagePart[]): number[] | Refusal {
  const sizes = parts.map(({ image_url: { url } }) => measure(url));
  return sizes.every((size) => size !== null)
    ? sizes
    : refuse(400, 'The image could not be read', { error_type: 'invalid_image' });
}

function measure(url: string): number | null {
  if (/^https?:\/\//.test(url)) {
    return USUAL_MEGAPIXELS;
  }
  const base64 = /^data:image\/[a-z+.-]+;base64,([A-Za-z0-9+/]+={0,2})$/.exec(url)?.[1];
  try {
    const { width, height, type = '' } = imageSize(Buffer.from(base64 ?? '', 'base64'));
    return readable.has(type) ? Math.ceil((width * height) / 1_000_000) : null;
  } catch {
    return null;
  }
}
