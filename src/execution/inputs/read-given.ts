import { decodeDataUrl } from '#kit/index.ts';
import type { Media } from '#media/index.ts';
import { toMediaCaps, type MediaParameter } from '#resources/index.ts';
import { fetchFile, type Outbound } from '#upstreams/index.ts';

export interface GivenDeps {
  media: Pick<Media, 'readUpload'>;
  outbound: Pick<Outbound, 'open'>;
}

/** The reason follows the parameter's name. It never repeats what was sent. */
export type GivenFile = { ok: true; bytes: Uint8Array } | { ok: false; reason: string };

const FETCH_TIMEOUT_MS = 10_000;
const UPLOAD = 'upload:';

export function isUrl(text: string): boolean {
  return /^https?:/i.test(text);
}

/** A file that came with the request or was uploaded before. Asks nobody outside. */
export async function readSent(deps: GivenDeps, parameter: MediaParameter, text: string): Promise<GivenFile> {
  if (!text.startsWith(UPLOAD)) {
    return decode(text, toMediaCaps(parameter).maxBytes);
  }
  const { maxBytes } = toMediaCaps(parameter);
  const upload = await deps.media.readUpload(text.slice(UPLOAD.length), maxBytes);
  if (upload === null) {
    return { ok: false, reason: 'names an upload that is not here, or no longer. Upload the file again' };
  }
  return 'tooLarge' in upload
    ? { ok: false, reason: `has ${upload.tooLarge} bytes, and at most ${maxBytes} are taken` }
    : { ok: true, bytes: upload.bytes };
}

export async function readGiven(deps: GivenDeps, parameter: MediaParameter, text: string): Promise<GivenFile> {
  if (!isUrl(text)) {
    return readSent(deps, parameter, text);
  }
  const { maxBytes } = toMediaCaps(parameter);
  const fetched = await fetchFile(deps.outbound, text, { maxBytes, timeoutMs: FETCH_TIMEOUT_MS });
  return fetched.ok ? fetched : { ok: false, reason: `could not be fetched: ${fetched.reason}` };
}

function decode(dataUrl: string, maxBytes: number): GivenFile {
  const decoded = decodeDataUrl(dataUrl, maxBytes);
  if ('bytes' in decoded) {
    return { ok: true, bytes: decoded.bytes };
  }
  return decoded.fault === 'too_large'
    ? { ok: false, reason: `has about ${decoded.aboutBytes} bytes, and at most ${maxBytes} are taken` }
    : { ok: false, reason: 'is a data URL that holds no base64' };
}
