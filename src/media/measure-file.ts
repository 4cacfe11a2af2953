import { parseBuffer } from 'music-metadata';
import { countPages } from './count-pages.ts';
import { measureFilm } from './measure-film.ts';

export interface FileToMeasure {
  bytes: Buffer;
  contentType: string;
}

/** Null: it does not apply, or the bytes do not say. */
export interface FileMeasures {
  pages: number | null;
  seconds: number | null;
}

/** Reads all of a file, for as long as the file makes it: only on a thread of its own, with an end. */
export async function measureFile({ bytes, contentType }: FileToMeasure): Promise<FileMeasures> {
  return contentType === 'application/pdf'
    ? { pages: await countPages(bytes), seconds: null }
    : { pages: null, seconds: await measureSeconds(bytes, contentType) };
}

/** The longest that anything in it tells. */
async function measureSeconds(bytes: Buffer, mimeType: string): Promise<number | null> {
  const film = isIsoMedia(mimeType) ? measureFilm(bytes) : null;
  const told = await readDuration(bytes, mimeType);
  const seconds = Math.max(film ?? 0, told ?? 0);
  return seconds > 0 ? seconds : null;
}

function isIsoMedia(mimeType: string): boolean {
  return mimeType === 'video/quicktime' || mimeType.endsWith('/mp4');
}

async function readDuration(bytes: Buffer, mimeType: string): Promise<number | null> {
  try {
    const { format } = await parseBuffer(bytes, { mimeType, size: bytes.length }, { duration: true, skipCovers: true });
    return format.duration !== undefined && Number.isFinite(format.duration) ? format.duration : null;
  } catch {
    return null;
  }
}
