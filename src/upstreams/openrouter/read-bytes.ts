import type { Readable } from 'node:stream';
import { TooLargeError } from '../chat-completions/read-events.ts';

/** The whole body; `TooLargeError` when it is longer than `maxBytes`. */
export async function readBytes(body: Readable, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) {
      throw new TooLargeError('The answer of the upstream is too large.');
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
