import { fileTypeFromBuffer } from 'file-type';
import { imageSize } from 'image-size';
import { parseBuffer } from 'music-metadata';
import { countPages } from './count-pages.ts';
import { measureFilm } from './measure-film.ts';

export type MediaKind = 'image' | 'audio' | 'video' | 'file';

/** What the bytes of a file say of it; null: it does not apply, or they do not say. */
export interface InspectedMedia {
  kind: MediaKind;
  contentType: string;
  pixels: number | null;
  pages: number | null;
  seconds: number | null;
}

/** Other names of what is one type here. */
const names: Readonly<Record<string, string>> = {
  'audio/x-m4a': 'audio/mp4',
  'audio/vnd.wave': 'audio/wav',
  'audio/x-wav': 'audio/wav',
  'audio/x-flac': 'audio/flac',
  'audio/opus': 'audio/ogg',
  'audio/ogg; codecs=opus': 'audio/ogg',
  'video/x-m4v': 'video/mp4',
};

/** By the bytes alone, never by a header or a name; null for what is not known. Never throws for what the bytes hold. */
export async function inspectMedia(bytes: Uint8Array): Promise<InspectedMedia | null> {
  const found = await fileTypeFromBuffer(bytes).catch(() => undefined);
  if (!found) {
    return null;
  }
  const contentType = names[found.mime] ?? found.mime;
  const kind = toKind(contentType);
  return {
    kind,
    contentType,
    pixels: kind === 'image' ? countPixels(bytes) : null,
    pages: contentType === 'application/pdf' ? await countPages(toBuffer(bytes)) : null,
    seconds: kind === 'audio' || kind === 'video' ? await measureSeconds(bytes, contentType) : null,
  };
}

function toKind(contentType: string): MediaKind {
  const [type] = contentType.split('/');
  return type === 'image' || type === 'audio' || type === 'video' ? type : 'file';
}

function countPixels(bytes: Uint8Array): number | null {
  try {
    const { width, height } = imageSize(bytes);
    return width > 0 && height > 0 ? width * height : null;
  } catch {
    return null;
  }
}

/** The longest that anything in it tells. */
async function measureSeconds(bytes: Uint8Array, mimeType: string): Promise<number | null> {
  const film = isIsoMedia(mimeType) ? measureFilm(toBuffer(bytes)) : null;
  const told = await readDuration(bytes, mimeType);
  const seconds = Math.max(film ?? 0, told ?? 0);
  return seconds > 0 ? seconds : null;
}

function isIsoMedia(mimeType: string): boolean {
  return mimeType === 'video/quicktime' || mimeType.endsWith('/mp4');
}

async function readDuration(bytes: Uint8Array, mimeType: string): Promise<number | null> {
  try {
    const { format } = await parseBuffer(bytes, { mimeType, size: bytes.length }, { duration: true, skipCovers: true });
    return format.duration !== undefined && Number.isFinite(format.duration) ? format.duration : null;
  } catch {
    return null;
  }
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
