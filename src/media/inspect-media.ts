import { imageSize } from 'image-size';
import { measureApart } from './measure-apart.ts';
import { HEAD_BYTES, sniffHead, type MediaKind } from './sniff-head.ts';

/** What the bytes of a file say of it; null: it does not apply, or they do not say. */
export interface InspectedMedia {
  kind: MediaKind;
  contentType: string;
  pixels: number | null;
  pages: number | null;
  seconds: number | null;
}

interface Asked {
  /** Only files of these are measured; unless told, all. */
  contentTypes?: readonly string[];
  client: string;
  /** Of `performance.now()`: until when a turn is waited for. */
  untilMs: number;
}

const notMeasured = { pixels: null, pages: null, seconds: null };

/**
 * By the bytes alone, never by a header or a name; null for what is not known. Never throws for what the bytes hold. `busy`:
 * too many files are being measured.
 */
export async function inspectMedia(bytes: Uint8Array, asked: Asked): Promise<InspectedMedia | 'busy' | null> {
  const told = await sniffHead(bytes.subarray(0, HEAD_BYTES));
  if (told === null || told === 'other') {
    return null;
  }
  if (asked.contentTypes?.includes(told.contentType) === false) {
    return { ...told, ...notMeasured };
  }
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (told.kind === 'image') {
    return { ...told, ...notMeasured, pixels: countPixels(file.subarray(0, HEAD_BYTES)) };
  }
  const { client, untilMs } = asked;
  const measures = await measureApart({ bytes: file, contentType: told.contentType, client, untilMs });
  return measures === 'busy' ? 'busy' : { ...told, pixels: null, ...measures };
}

/** What the bytes of a file of any kind tell; nothing of one that is not known, or whose turn did not come. */
export async function measureMedia(
  bytes: Uint8Array,
  asked: Omit<Asked, 'contentTypes'>,
): Promise<Pick<InspectedMedia, 'pixels' | 'pages' | 'seconds'>> {
  const found = await inspectMedia(bytes, asked);
  return found === null || found === 'busy' ? notMeasured : found;
}

function countPixels(head: Buffer): number | null {
  try {
    const { width, height } = imageSize(head);
    return width > 0 && height > 0 ? width * height : null;
  } catch {
    return null;
  }
}
