import { z } from 'zod';
import type { CatalogueModel } from '../catalogue.ts';
import type { Exchange } from '../exchange.ts';
import { replyJson } from '../reply.ts';
import type { Reply } from '../reply.ts';
import type { State } from '../state.ts';
import { toUsd } from '../cost.ts';
import { countTokens } from '../tokens.ts';
import { doWork, priceOf, refuseInput, settleWork } from './do-work.ts';

const requestSchema = z.looseObject({
  model: z.string().min(1),
  query: z.string().min(1),
  documents: z
    .array(z.union([z.string(), z.object({ text: z.string() }).transform(({ text }) => text)]))
    .min(1)
    .max(1_000),
  top_n: z.int().min(1).nullish(),
});

const DOCUMENTS_PER_UNIT = 100;

/** `POST /rerank`: by the words that a document shares with the query. */
export function answerRerank(state: State, exchange: Exchange): Reply {
  const parsed = requestSchema.safeParse(exchange.body);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return refuseInput(issue?.path.join('.') ?? 'body', issue?.message ?? 'not valid');
  }
  const { model: modelId, query, documents, top_n: most } = parsed.data;
  const units = Math.ceil(documents.length / DOCUMENTS_PER_UNIT);
  const tokens = [query, ...documents].reduce((sum, text) => sum + countTokens(text), 0);
  return doWork(state, exchange, {
    modelId,
    output: 'rerank',
    apiType: 'rerank',
    request: { query, documents },
    price: (model: CatalogueModel) =>
      priceOf(model, 'request').times(units).plus(priceOf(model, 'prompt').times(tokens)),
    make: (work, cost) => {
      const results = documents
        .map((text, index) => ({ index, relevance_score: rate(query, text), document: { text } }))
        .toSorted((one, other) => other.relevance_score - one.relevance_score || one.index - other.index)
        .slice(0, most ?? documents.length);
      const headers = settleWork(state, work, {
        headers: exchange.headers,
        cost,
        apiType: 'rerank',
        promptTokens: tokens,
      });
      const usage = { search_units: units, total_tokens: tokens, cost: toUsd(cost) };
      return replyJson(
        { id: work.id, model: work.model.canonical_slug, provider: work.provider, results, usage },
        headers,
      );
    },
  });
}

function rate(query: string, text: string): number {
  const wanted = toWords(query);
  const found = toWords(text);
  const shared = [...wanted].filter((word) => found.has(word)).length;
  return Math.round((wanted.size === 0 ? 0 : shared / wanted.size) * 1_000) / 1_000;
}

function toWords(text: string): Set<string> {
  return new Set(text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []);
}
