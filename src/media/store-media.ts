import { newId, Problem, sha256Hex } from '#kit/index.ts';
import { decodeDataUrl } from './decode-image.ts';
import type { MediaDeps } from './media-deps.ts';
import { signImage } from './sign-url.ts';
import { sniffMedia, type MediaKind } from './sniff-media.ts';

type MediaSource =
  | { dataUrl: string }
  | { bytes: Uint8Array }
  | { stream: AsyncIterable<Uint8Array>; maxBytes?: number };

export interface MediaToStore {
  ownerId: string;
  callId: string;
  /** Seconds; the store's own unless told. */
  retentionSeconds?: number;
  /** What is something else is refused. */
  expect?: MediaKind;
  source: MediaSource;
}

/** What an answer says about a file; has the shape of resources' MediaReference. */
export interface StoredMedia {
  id: string;
  kind: MediaKind;
  contentType: string;
  sizeBytes: number;
  sha256: string;
  width: number | null;
  height: number | null;
  /** Signed; good until `expiresAt`. */
  url: string;
  expiresAt: string;
}

const MAX_BYTES: Readonly<Record<MediaKind, number>> = {
  image: 10_000_000,
  audio: 25_000_000,
  video: 100_000_000,
  file: 10_000_000,
};

const INSERT = `
  INSERT INTO x402_cached_images
    (id, owner_id, call_id, content_type, width, height, bytes, sha256, created_at, expires_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`;

/** Throws `unprocessable` for what the bytes do not show to be media, or to be what is expected; `too_large` over the limit of its kind. */
export async function storeMedia(deps: MediaDeps, media: MediaToStore): Promise<StoredMedia> {
  const bytes = await readSource(media.source);
  const sniffed = sniffMedia(bytes);
  if (!sniffed || (media.expect !== undefined && sniffed.kind !== media.expect)) {
    const found = sniffed ? ` It is ${sniffed.contentType}.` : '';
    throw new Problem('unprocessable', {
      detail: `The file is no ${media.expect ?? 'picture, sound or film'} that is stored here.${found}`,
    });
  }
  if (bytes.length > MAX_BYTES[sniffed.kind]) {
    throw tooLarge(MAX_BYTES[sniffed.kind]);
  }
  const id = newId();
  const nowMs = deps.clock.now();
  const retentionMs = media.retentionSeconds === undefined ? deps.retentionMs : media.retentionSeconds * 1000;
  // Whole seconds, because the URL carries seconds: row and URL end together.
  const expiresAtSeconds = Math.floor((nowMs + retentionMs) / 1000);
  const expiresAt = new Date(expiresAtSeconds * 1000);
  const { kind, contentType, width, height } = sniffed;
  const sha256 = sha256Hex(bytes);
  await deps.database.system.query(INSERT, [
    id,
    media.ownerId,
    media.callId,
    contentType,
    width,
    height,
    bytes.length,
    sha256,
    new Date(nowMs),
    expiresAt,
  ]);
  await deps.store.write(id, bytes);
  const query = signImage(deps.signingKey, id, expiresAtSeconds);
  const url = `${deps.publicUrl}/api/images/${id}?expires=${query.expires}&signature=${query.signature}`;
  const facts = { id, kind, contentType, sizeBytes: bytes.length, sha256, width, height };
  return { ...facts, url, expiresAt: expiresAt.toISOString() };
}

async function readSource(source: MediaSource): Promise<Buffer> {
  if ('dataUrl' in source) {
    return decodeDataUrl(source.dataUrl);
  }
  return 'bytes' in source ? Buffer.from(source.bytes) : readStream(source.stream, source.maxBytes ?? MAX_BYTES.video);
}

async function readStream(stream: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.length;
    if (length > maxBytes) {
      throw tooLarge(maxBytes);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLarge(maxBytes: number): Problem {
  return new Problem('too_large', { detail: `The file is larger than ${maxBytes / 1_000_000} MB.` });
}
