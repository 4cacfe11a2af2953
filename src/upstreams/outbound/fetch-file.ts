import type { Outbound } from './open-outbound.ts';
import { discard, openFile } from './open-file.ts';

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
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of opened.body as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > maxBytes) {
        discard(opened.body);
        return { ok: false, reason: `it has more than ${maxBytes} bytes` };
      }
      chunks.push(chunk);
    }
    return length === 0 ? { ok: false, reason: 'it is empty' } : { ok: true, bytes: Buffer.concat(chunks, length) };
  } catch {
    const reason = signal.aborted
      ? `it did not come within ${timeoutMs / 1000} seconds`
      : 'its server cannot be reached';
    return { ok: false, reason };
  }
}
