import type { Readable } from 'node:stream';

/** A body over its cap. */
export class TooLargeError extends Error {
  override readonly name = 'TooLargeError';
}

/** The whole body; `TooLargeError` when it is longer than `maxBytes`. */
export async function readBytes(body: Readable, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) {
      discard(body);
      throw new TooLargeError('The answer of the upstream is too large.');
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}

/** The same as text. */
export async function readText(body: Readable, maxBytes: number): Promise<string> {
  return (await readBytes(body, maxBytes)).toString('utf8');
}

/** Destroying a body that has not ended makes its stream emit an error, which means nothing here. */
export function discard(body: Readable): void {
  body.on('error', () => {}).destroy();
}
