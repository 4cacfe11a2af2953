import { inspectMedia, type InspectedMedia } from '#media/index.ts';
import type { ChatRequest } from './parse-chat.ts';

type Part = Record<string, unknown>;

/** By their bytes; null: it does not apply, or they do not tell. */
export type FileSize = Pick<InspectedMedia, 'pixels' | 'pages' | 'seconds'>;

const unknown: FileSize = { pixels: null, pages: null, seconds: null };
const contentTypes = Object.entries({
  image: ['png', 'jpeg', 'webp', 'gif'],
  audio: ['wav', 'mpeg', 'ogg', 'flac', 'aac', 'mp4'],
  video: ['mp4', 'webm', 'quicktime'],
  application: ['pdf'],
}).flatMap(([kind, names]) => names.map((name) => `${kind}/${name}`));
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

export async function measureFiles(parts: readonly Part[]): Promise<void> {
  await Promise.all(
    parts.map(async (part) => sizes.set(part, await measureBytes(Buffer.from(toBase64(part) ?? '', 'base64')))),
  );
}

/** As buyers' files are measured. */
export async function measureBytes(bytes: Buffer): Promise<FileSize> {
  const untilMs = performance.now() + PATIENCE_MS;
  const found = await inspectMedia(bytes, { contentTypes, client: 'simulator', untilMs });
  return found === null || found === 'busy' ? unknown : found;
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
