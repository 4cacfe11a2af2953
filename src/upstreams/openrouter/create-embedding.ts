import { safeParse } from '#kit/index.ts';
import { z } from 'zod';
import type { ChatCall } from '../chat-completions/chat.ts';
import { askMedia, type MediaHttp } from './ask-media.ts';
import type { EmbeddingRequest, MediaResult } from './media.ts';
import { readMediaJson } from './read-media-json.ts';

const MAX_BYTES = 4_000_000;
const MAX_DIMENSIONS = 65_536;

const form = z.object({ data: z.array(z.object({ embedding: z.union([z.array(z.number()), z.string()]) })).min(1) });

/** `POST /embeddings` for one text. */
export function createEmbedding(
  http: MediaHttp,
  request: EmbeddingRequest,
  call: ChatCall,
): Promise<MediaResult<number[]>> {
  const { model, input, dimensions, inputType } = request;
  return askMedia(
    http,
    {
      method: 'POST',
      path: '/embeddings',
      body: { model, input, dimensions, input_type: inputType, encoding_format: 'float' },
      secrets: [input],
      read: (response) =>
        readMediaJson(response, { maxBytes: MAX_BYTES, secrets: [call.apiKey, input], pick: pickVector }),
    },
    call,
  );
}

function pickVector(body: unknown): number[] | null {
  const found = safeParse(form, body).data?.data[0]?.embedding;
  const vector = typeof found === 'string' ? fromBase64(found) : found;
  const isUsable = vector && vector.length > 0 && vector.length <= MAX_DIMENSIONS && vector.every(Number.isFinite);
  return isUsable ? vector : null;
}

/** The other form of the wire, which some providers answer with unasked: 32 bit floats, little endian. */
function fromBase64(text: string): number[] | null {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length > 0 && bytes.length % 4 === 0
    ? Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readFloatLE(at * 4))
    : null;
}
