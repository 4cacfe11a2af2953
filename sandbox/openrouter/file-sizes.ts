import type { ChatRequest } from './parse-chat.ts';

type Part = Record<string, unknown>;

/** By their bytes; null: it does not apply, or they do not tell. */
export interface FileSize {
  pixels: number | null;
  pages: number | null;
  seconds: number | null;
}

/** `untilMs` of `performance.now()`: until when a turn is waited for. */
export type MeasureFile = (bytes: Buffer, asked: { client: string; untilMs: number }) => Promise<FileSize>;

const unknown: FileSize = { pixels: null, pages: null, seconds: null };
const PATIENCE_MS = 20_000;

/** Measured before the request is looked at, because that takes a thread; forgotten with the request. */
const sizes = new WeakMap<Part, FileSize>();

export function sizeOf(part: Part): FileSize {
  return sizes.get(part) ?? unknown;
}

/** The parts of a request that hold the bytes of a file: what an address names is not fetched here. */
export function listFiles({ messages }: ChatRequest): Part[] {
  return messages
    .flatMap(({ content }) => (Array.isArray(content) ? content : []))
    .filter((part) => toBase64(part) !== null);
}

export async function measureFiles(measure: MeasureFile, parts: readonly Part[]): Promise<void> {
  await Promise.all(
    parts.map(async (part) => {
      sizes.set(part, await measureBytes(measure, Buffer.from(toBase64(part) ?? '', 'base64')));
    }),
  );
}

export function measureBytes(measure: MeasureFile, bytes: Buffer): Promise<FileSize> {
  return measure(bytes, { client: 'simulator', untilMs: performance.now() + PATIENCE_MS });
}

function toBase64(part: Part): string | null {
  const of = (name: string, field: string): unknown => (part[name] as Part | null | undefined)?.[field];
  if (part['type'] === 'input_audio') {
    const data = of('input_audio', 'data');
    return typeof data === 'string' ? data : null;
  }
  const url =
    of('image_url', 'url') ?? of('video_url', 'url') ?? of('input_video', 'url') ?? of('file', 'file_data') ?? null;
  return typeof url === 'string' && url.startsWith('data:') ? url.slice(url.indexOf(',') + 1) : null;
}
