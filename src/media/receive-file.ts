import { createHash } from 'node:crypto';
import { mkdir, open, readdir, rm, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeDataUrl, newId, Problem } from '#kit/index.ts';
import { tooLarge } from './media-limits.ts';
import type { LocalFile } from './media-store.ts';

export type MediaSource = { dataUrl: string } | { bytes: Uint8Array } | { stream: AsyncIterable<Uint8Array> };

/** A file that lies here only until it is in the store. */
export interface ReceivedFile extends LocalFile {
  remove(): Promise<void>;
}

interface Receiving {
  /** Folder of this process. */
  incoming: string;
  maxBytes: number;
  /** As it begins a sentence. */
  what: string;
}

/** Writes to disk what comes, as it comes. Throws `too_large`, and `unprocessable` where nothing comes or it cannot be decoded. */
export async function receiveFile({ incoming, maxBytes, what }: Receiving, source: MediaSource): Promise<ReceivedFile> {
  await mkdir(incoming, { recursive: true });
  const path = join(incoming, newId());
  const remove = (): Promise<void> => rm(path, { force: true });
  try {
    const written = await write(path, toChunks(source, { maxBytes, what }), (sizeBytes) => {
      if (sizeBytes > maxBytes) {
        throw tooLarge(what, maxBytes);
      }
    });
    if (written.sizeBytes === 0) {
      throw new Problem('unprocessable', { detail: `${what} is empty.` });
    }
    return { path, ...written, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** No write takes this long: what is older was left by a killed process. */
export const ABANDONED_MS = 3_600_000;

/** Never rejects. Removes what processes have left that were killed while they received; what is younger may still be coming. */
export async function sweepIncoming(incoming: string, beforeMs: number): Promise<void> {
  const names = await readdir(incoming).catch(() => []);
  for (const name of names) {
    const path = join(incoming, name);
    const found = await stat(path).catch(() => null);
    if (found && found.mtimeMs < beforeMs) {
      await rm(path, { force: true }).catch(() => {});
    }
  }
}

function toChunks(
  source: MediaSource,
  { maxBytes, what }: Pick<Receiving, 'maxBytes' | 'what'>,
): AsyncIterable<Uint8Array> | Iterable<Uint8Array> {
  if ('stream' in source) {
    return source.stream;
  }
  const decoded = 'bytes' in source ? source : decodeDataUrl(source.dataUrl, maxBytes);
  if ('bytes' in decoded) {
    return [decoded.bytes];
  }
  throw decoded.fault === 'too_large'
    ? tooLarge(what, maxBytes)
    : new Problem('unprocessable', { detail: `${what} is not base64 in a data URL.` });
}

async function write(
  path: string,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  check: (sizeBytes: number) => void,
): Promise<{ sizeBytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const file: FileHandle = await open(path, 'wx', 0o600);
  try {
    for await (const chunk of chunks) {
      sizeBytes += chunk.length;
      check(sizeBytes);
      hash.update(chunk);
      await writeWhole(file, chunk);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return { sizeBytes, sha256: hash.digest('hex') };
}

/** One write may take less than it is given. */
async function writeWhole(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let written = 0; written < chunk.length;) {
    written += (await file.write(chunk, written)).bytesWritten;
  }
}
