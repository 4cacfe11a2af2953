import { newId, Problem } from '#kit/index.ts';
import { isCutShort } from './is-cut-short.ts';
import { keepObject } from './keep-object.ts';
import type { MediaDeps } from './media-deps.ts';
import { tooLarge } from './media-limits.ts';
import { receiveFile, type MediaSource, type ReceivedFile } from './receive-file.ts';
import { signMedia } from './sign-url.ts';
import type { MediaKind } from './sniff-head.ts';
import { sniffMedia, type SniffedMedia } from './sniff-media.ts';

export interface MediaToStore {
  ownerId: string;
  callId: string;
  /** As the version of the resource says; the store's own unless told. */
  retentionSeconds?: number;
  /** What is of another kind is refused. */
  expect: MediaKind;
  source: MediaSource;
}

/** What an answer says about a file; has the shape of resources' MediaReference. */
export interface StoredMedia extends SniffedMedia {
  id: string;
  sizeBytes: number;
  /** Hexadecimal. */
  sha256: string;
  /** Signed; good until `expiresAt`. */
  url: string;
  expiresAt: string;
}

const INSERT = `
  INSERT INTO x402_cached_images
    (id, owner_id, call_id, object_id, kind, content_type, width, height, bytes, sha256, created_at, expires_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`;

/** Throws `too_large`, and `unprocessable` for what the bytes do not show to be media of the kind that is expected, to its end. */
export async function storeMedia(deps: MediaDeps, media: MediaToStore): Promise<StoredMedia> {
  const { expect } = media;
  const what = toWords[expect];
  const maxBytes = deps.limits.maxBytes[expect];
  const file = await receiveFile({ incoming: deps.incoming, maxBytes, what }, media.source);
  try {
    const sniffed = await sniffMedia(file.path, null);
    if (sniffed?.kind !== expect) {
      throw new Problem('unprocessable', {
        detail: `${what} is not of a type that is kept here: ${listTypes(expect)}.`,
      });
    }
    checkLimits(deps, sniffed, file.sizeBytes);
    if (await isCutShort(file)) {
      throw new Problem('unprocessable', { detail: `${what} breaks off before its end.` });
    }
    return await insert(deps, media, { file, sniffed });
  } finally {
    await file.remove();
  }
}

/** Of the kind and, for pictures, of the number of their pixels. Throws `too_large`, and `unprocessable` for pictures without a size. */
export function checkLimits({ limits }: Pick<MediaDeps, 'limits'>, sniffed: SniffedMedia, sizeBytes: number): void {
  const maxBytes = limits.maxBytes[sniffed.kind];
  if (sizeBytes > maxBytes) {
    throw tooLarge(toWords[sniffed.kind], maxBytes);
  }
  if (sniffed.kind !== 'image') {
    return;
  }
  if (sniffed.width === null || sniffed.height === null) {
    throw new Problem('unprocessable', { detail: 'The image does not say how large it is: it may be cut off.' });
  }
  if (sniffed.width * sniffed.height > limits.maxPixels) {
    const detail = `An image may have at most ${limits.maxPixels / 1_000_000} megapixels.`;
    throw new Problem('too_large', { detail });
  }
}

/** For messages. */
export function listTypes(kind?: MediaKind): string {
  return kind === undefined ? Object.values(typesInWords).join('; ') : typesInWords[kind];
}

const toWords = { image: 'An image', audio: 'A sound', video: 'A video', file: 'A file' } as const;

const typesInWords = {
  image: 'PNG, JPEG, WebP, GIF and AVIF pictures',
  audio: 'WAV, MP3, Ogg, FLAC and AAC sound',
  video: 'MP4, WebM and QuickTime video',
  file: 'PDF and, in UTF-8, plain text, CSV and JSON',
} as const;

interface Checked {
  file: ReceivedFile;
  sniffed: SniffedMedia;
}

async function insert(deps: MediaDeps, media: MediaToStore, { file, sniffed }: Checked): Promise<StoredMedia> {
  const id = newId();
  const nowMs = deps.clock.now();
  const retentionMs = media.retentionSeconds === undefined ? deps.retentionMs : media.retentionSeconds * 1000;
  // Whole seconds, because the URL carries seconds: row and URL end together.
  const expiresAtSeconds = Math.floor((nowMs + retentionMs) / 1000);
  const expiresAt = new Date(expiresAtSeconds * 1000);
  const { kind, contentType, width, height } = sniffed;
  const { sizeBytes, sha256 } = file;
  const facts = [kind, contentType, width, height, sizeBytes, sha256, new Date(nowMs), expiresAt];
  await keepObject(deps, file, async (tx, objectId) => {
    await tx.query(INSERT, [id, media.ownerId, media.callId, objectId, ...facts]);
  });
  const query = signMedia(deps.signingKey, id, expiresAtSeconds);
  const path = `/api/${kind === 'image' ? 'images' : 'media'}/${id}`;
  const url = `${deps.publicUrl}${path}?expires=${query.expires}&signature=${query.signature}`;
  return { id, kind, contentType, sizeBytes, sha256, width, height, url, expiresAt: expiresAt.toISOString() };
}
