import { inspectMedia, isPngCut, type InspectedMedia } from '#media/index.ts';
import { toMediaCaps, type MediaParameter } from '#resources/index.ts';

/** `busy`: too many files are being measured. */
export type CheckedFile = { ok: true; file: InspectedMedia } | { ok: false; reason: string } | 'busy';

interface Sent {
  bytes: Uint8Array;
  client: string;
  /** Of `performance.now()`: until when it may wait to be measured. */
  untilMs: number;
}

/**
 * Is it what the parameter takes, by its bytes? What is limited has to be readable from them, or the limit would bind
 * nobody. The reason follows the parameter's name and tells the limit and what was found.
 */
export async function checkFile(parameter: MediaParameter, { bytes, ...whose }: Sent): Promise<CheckedFile> {
  const caps = toMediaCaps(parameter);
  if (bytes.length > caps.maxBytes) {
    return { ok: false, reason: `has ${bytes.length} bytes, and at most ${caps.maxBytes} are taken` };
  }
  const file = await inspectMedia(bytes, { ...whose, contentTypes: caps.contentTypes });
  if (file === 'busy') {
    return file;
  }
  if (file === null || !caps.contentTypes.includes(file.contentType)) {
    const found = file === null ? 'a file that is not known here' : file.contentType;
    return { ok: false, reason: `is ${found}, and taken are: ${caps.contentTypes.join(', ')}` };
  }
  if (file.contentType === 'image/png' && isPngCut(bytes)) {
    return { ok: false, reason: 'is cut off: the end of the PNG is missing' };
  }
  const reason = findExcess([
    { name: 'pixels', found: file.pixels, most: file.kind === 'image' ? caps.maxPixels : null },
    { name: 'pages', found: file.pages, most: file.contentType === 'application/pdf' ? caps.maxPages : null },
    { name: 'seconds', found: file.seconds, most: isTimed(file) ? caps.maxSeconds : null },
  ]);
  return reason === null ? { ok: true, file } : { ok: false, reason };
}

interface Measure {
  name: string;
  found: number | null;
  most: number | null;
}

function findExcess(measures: readonly Measure[]): string | null {
  for (const { name, found, most } of measures) {
    if (most !== null && found === null) {
      return `does not tell how many ${name} it has, and at most ${most} are taken`;
    }
    if (most !== null && found !== null && found > most) {
      return `has ${Math.ceil(found)} ${name}, and at most ${most} are taken`;
    }
  }
  return null;
}

function isTimed({ kind }: InspectedMedia): boolean {
  return kind === 'audio' || kind === 'video';
}
