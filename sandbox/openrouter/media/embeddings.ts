import { z } from 'zod';
import type { CatalogueModel } from '../catalogue.ts';
import type { Exchange } from '../exchange.ts';
import { replyJson } from '../reply.ts';
import type { Reply } from '../reply.ts';
import { openRandom } from '../seeded-random.ts';
import type { State } from '../state.ts';
import { toUsd } from '../cost.ts';
import { countTokens } from '../tokens.ts';
import { doWork, priceOf, refuseInput, settleWork } from './do-work.ts';

const requestSchema = z.looseObject({
  model: z.string().min(1),
  input: z.union([z.string().min(1), z.array(z.string()).min(1).max(2_048)]),
  dimensions: z.int().min(1).max(65_536).nullish(),
  encoding_format: z.enum(['float', 'base64']).nullish(),
});

const DIMENSIONS = 256;

/** `POST /embeddings`: vectors of length one, the same for the same text. */
export function answerEmbeddings(state: State, exchange: Exchange): Reply {
  const parsed = requestSchema.safeParse(exchange.body);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return refuseInput(issue?.path.join('.') ?? 'body', issue?.message ?? 'not valid');
  }
  const { model: modelId, input, dimensions, encoding_format: encoding } = parsed.data;
  const texts = typeof input === 'string' ? [input] : input;
  const promptTokens = texts.reduce((sum, text) => sum + countTokens(text), 0);
  return doWork(state, exchange, {
    modelId,
    output: 'embeddings',
    apiType: 'embeddings',
    request: { dimensions },
    price: (model: CatalogueModel) => priceOf(model, 'prompt').times(promptTokens),
    make: (work, cost) => {
      const data = texts.map((text, index) => {
        const vector = drawVector(`${work.seed}\n${text}`, dimensions ?? DIMENSIONS);
        return { object: 'embedding', index, embedding: encoding === 'base64' ? toBase64(vector) : vector };
      });
      const usage = { prompt_tokens: promptTokens, total_tokens: promptTokens, cost: toUsd(cost), is_byok: false };
      const headers = settleWork(state, work, { headers: exchange.headers, cost, apiType: 'embeddings', promptTokens });
      const { model, provider, id } = work;
      return replyJson({ object: 'list', data, model: model.canonical_slug, provider, id, usage }, headers);
    },
  });
}

function drawVector(seed: string, dimensions: number): number[] {
  const random = openRandom(seed, 'vector');
  const raw = Array.from({ length: dimensions }, () => random.integer(-1_000, 1_000));
  const length = Math.sqrt(raw.reduce((sum, value) => sum + value * value, 0)) || 1;
  return raw.map((value) => Math.fround(value / length));
}

function toBase64(vector: readonly number[]): string {
  const bytes = Buffer.alloc(vector.length * 4);
  for (const [at, value] of vector.entries()) {
    bytes.writeFloatLE(value, at * 4);
  }
  return bytes.toString('base64');
}
