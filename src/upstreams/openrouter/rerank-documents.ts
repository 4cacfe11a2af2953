import { safeParse } from '#kit/index.ts';
import { z } from 'zod';
import type { ChatCall } from '../chat-completions/chat.ts';
import { askMedia, type MediaHttp } from './ask-media.ts';
import type { MediaResult, RankedDocument, RerankRequest } from './media.ts';
import { readMediaJson } from './read-media-json.ts';

const MAX_BYTES = 16_000_000;

const form = z.object({ results: z.array(z.object({ index: z.int().min(0), relevance_score: z.number() })).min(1) });

/** `POST /rerank`. Results that name documents that were not sent, or one twice, are no answer. */
export function rerankDocuments(
  http: MediaHttp,
  request: RerankRequest,
  call: ChatCall,
): Promise<MediaResult<RankedDocument[]>> {
  const { model, query, documents, topN } = request;
  const secrets = [query, ...documents];
  return askMedia(
    http,
    {
      method: 'POST',
      path: '/rerank',
      body: { model, query, documents, top_n: topN },
      secrets,
      read: (response) =>
        readMediaJson(response, {
          maxBytes: MAX_BYTES,
          secrets: [call.apiKey, ...secrets],
          pick: (body) => pickRanks(body, documents.length),
        }),
    },
    call,
  );
}

function pickRanks(body: unknown, count: number): RankedDocument[] | null {
  const results = safeParse(form, body).data?.results ?? [];
  const places = new Set(results.map(({ index }) => index));
  const isUsable = results.length > 0 && places.size === results.length && results.every(({ index }) => index < count);
  return isUsable
    ? results
        .map(({ index, relevance_score: relevanceScore }) => ({ index, relevanceScore }))
        .toSorted((one, other) => other.relevanceScore - one.relevanceScore)
    : null;
}
