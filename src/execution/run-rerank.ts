import { safeParse } from '#kit/index.ts';
import { z } from 'zod';
import { findSource } from './check-media.ts';
import { toUsage } from './media-answer.ts';
import { notAsked, toCall, type RunRoute } from './media-run.ts';

const MAX_DOCUMENTS = 1_000;

const list = z.array(z.union([z.string(), z.object({ text: z.string() }).transform(({ text }) => text)]));

/** The prompt is the query; the documents stand in the input. */
export const runRerank: RunRoute = async (deps, run) => {
  const documents = readDocuments(run.input[findSource(run.route, run) ?? '']);
  if (documents.length === 0 || documents.length > MAX_DOCUMENTS) {
    const cause = `unreadable_documents: The buyer sent ${documents.length} documents; 1 to ${MAX_DOCUMENTS} can be ranked, as a JSON list of texts or one a line.`;
    return { facts: notAsked, refused: { problem: 'unprocessable', cause } };
  }
  const request = { model: run.request.model, query: run.prompt, documents, topN: run.settings.rerank?.topN };
  const result = await deps.openRouterMedia.rerankDocuments(request, toCall(run));
  if (!result.ok) {
    return { facts: result, failure: result.failure };
  }
  const results = result.output.map((ranked) => ({ ...ranked, document: documents[ranked.index] ?? '' }));
  return { facts: result, media: [], json: { response: '', results, usage: toUsage(result) } };
};

function readDocuments(value: unknown): string[] {
  if (typeof value !== 'string') {
    return safeParse(list, value).data ?? [];
  }
  const documents = safeParse(list, parse(value)).data ?? value.split(/\r?\n/);
  return documents.filter((text) => text.trim() !== '');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
