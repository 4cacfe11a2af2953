import { newId, Problem, sha256Hex } from '#kit/index.ts';
import { decodeDataUrl, MAX_IMAGE_BYTES, tooLarge } from './decode-image.ts';
import type { MediaDeps } from './media-deps.ts';
import { signImage } from './sign-url.ts';
import { sniffImage } from './sniff-image.ts';

export type ImageToStore = { ownerId: string; callId: string } & ({ bytes: Uint8Array } | { dataUrl: string });

/** What an answer says about an image; has the shape of resources' MediaReference. */
export interface StoredImage {
  id: string;
  contentType: string;
  width: number | null;
  height: number | null;
  /** Signed; good until `expiresAt`. */
  url: string;
  expiresAt: string;
}

const INSERT = `
  INSERT INTO x402_cached_images
    (id, owner_id, call_id, content_type, width, height, bytes, sha256, created_at, expires_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`;

export async function storeImage(deps: MediaDeps, image: ImageToStore): Promise<StoredImage> {
  const bytes = 'bytes' in image ? Buffer.from(image.bytes) : decodeDataUrl(image.dataUrl);
  if (bytes.length > MAX_IMAGE_BYTES) {
    throw tooLarge();
  }
  const sniffed = sniffImage(bytes);
  if (!sniffed) {
    throw new Problem('unprocessable', { detail: 'The image is neither PNG, JPEG, WebP nor GIF.' });
  }
  const id = newId();
  const nowMs = deps.clock.now();
  // Whole seconds, because the URL carries seconds: row and URL end together.
  const expiresAtSeconds = Math.floor((nowMs + deps.retentionMs) / 1000);
  const expiresAt = new Date(expiresAtSeconds * 1000);
  const { contentType, width, height } = sniffed;
  await deps.database.system.query(INSERT, [
    id,
    image.ownerId,
    image.callId,
    contentType,
    width,
    height,
    bytes.length,
    sha256Hex(bytes),
    new Date(nowMs),
    expiresAt,
  ]);
  await deps.store.write(id, bytes);
  const query = signImage(deps.signingKey, id, expiresAtSeconds);
  const url = `${deps.publicUrl}/api/images/${id}?expires=${query.expires}&signature=${query.signature}`;
  return { id, contentType, width, height, url, expiresAt: expiresAt.toISOString() };
}
