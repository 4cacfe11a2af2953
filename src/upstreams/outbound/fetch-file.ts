import { readBytes, TooLargeError } from '../read-body.ts';
import { openFile } from './open-file.ts';
import type { Outbound } from './open-outbound.ts';

export interface FileLimits {
  maxBytes: number;
  /** For everything: names, connections, redirects and the body. */
  timeoutMs: number;
}

/** Why there is no file, in words for whoever named the URL; they never repeat it. */
export type FetchedFile = { ok: true; bytes: Buffer } | { ok: false; reason: string };

/** Reads a file from a URL that a stranger named. Never throws for what the other side does. */
export async function fetchFile(
  outbound: Pick<Outbound, 'open'>,
  url: string,
  { maxBytes, timeoutMs }: FileLimits,
): Promise<FetchedFile> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const opened = await openFile(outbound, { url, signal, maxBytes });
    if (!opened.ok) {
      return opened;
    }
    const bytes = await readBytes(opened.body, maxBytes);
    return bytes.length === 0 ? { ok: false, reason: 'it is empty' } : { ok: true, bytes };
  } catch (error) {
    return { ok: false, reason: toReason(error, signal, { maxBytes, timeoutMs }) };
  }
}

function toReason(error: unknown, signal: AbortSignal, { maxBytes, timeoutMs }: FileLimits): string {
  if (error instanceof TooLargeError) {
    return `it has more than ${maxBytes} bytes`;
  }
  return signal.aborted ? `it did not come within ${timeoutMs / 1000} seconds` : 'its server cannot be reached';
}
