import { toUsage } from './media-answer.ts';
import { toCall, type RunRoute } from './media-run.ts';

export const runEmbedding: RunRoute = async (deps, run) => {
  const request = { ...run.settings.embedding, model: run.request.model, input: run.prompt };
  const result = await deps.openRouterMedia.createEmbedding(request, toCall(run));
  return result.ok
    ? { facts: result, media: [], json: { response: '', embedding: result.output, usage: toUsage(result) } }
    : { facts: result, failure: result.failure };
};
