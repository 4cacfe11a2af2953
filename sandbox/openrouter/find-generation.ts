import { authenticate } from './accounts.ts';
import { toUsd } from './cost.ts';
import type { Exchange } from './exchange.ts';
import { isRefusal, refuse } from './refusal.ts';
import { replyJson, replyRefusal } from './reply.ts';
import type { Reply } from './reply.ts';
import type { State, StoredGeneration } from './state.ts';
import { toNativeReason } from './wire.ts';

/** `GET /generation?id=`: 404 for a moment after the answer, as the real one. */
export function answerGeneration(state: State, { headers, query }: Exchange): Reply {
  const now = state.clock.now();
  const key = authenticate(state.keys, headers['authorization'], now);
  if (isRefusal(key)) {
    return replyRefusal(key);
  }
  const id = query.get('id') ?? '';
  const stored = state.generations.get(id);
  if (stored === undefined || stored.availableAt > now || stored.key.account !== key.account) {
    return replyRefusal(refuse(404, `Generation ${id.slice(0, 80)} not found`, { error_type: 'not_found' }));
  }
  return replyJson({ data: toGenerationJson(stored) });
}

const MAX_GENERATIONS = 5_000;

/** What was begun before a reset and ends after it is of accounts that are gone, and its id is given out anew. */
export function keepGeneration({ generations, keys }: State, generation: StoredGeneration): void {
  const { account } = generation.key;
  if (![...keys.values()].some((key) => key.account === account)) {
    return;
  }
  // Without its pictures and sound: they are large, and GET /generation does not return them.
  const completion = { ...generation.completion, images: [], audio: null };
  generations.set(completion.id, { ...generation, completion });
  const [oldest] = generations.keys();
  if (generations.size > MAX_GENERATIONS && oldest !== undefined) {
    generations.delete(oldest);
  }
}

/** `GET /generation/content?id=`: what was asked and answered, where the account lets it be kept. */
export function answerGenerationContent(state: State, { headers, query }: Exchange): Reply {
  const key = authenticate(state.keys, headers['authorization'], state.clock.now());
  if (isRefusal(key)) {
    return replyRefusal(key);
  }
  const id = query.get('id') ?? '';
  const content = state.contents.find(id);
  if (content === null || content.userId !== key.account.userId) {
    return replyRefusal(refuse(404, `Generation ${id.slice(0, 80)} not found`, { error_type: 'not_found' }));
  }
  const { messages, completion, reasoning } = content;
  return replyJson({ data: { input: { messages }, output: { completion, reasoning }, error: null } });
}

function toGenerationJson(stored: StoredGeneration): Record<string, unknown> {
  const { completion, headers } = stored;
  const hasImages = completion.imageTokens > 0;
  return {
    id: completion.id,
    upstream_id: null,
    request_id: null,
    total_cost: stored.chargedUsd,
    cache_discount: null,
    upstream_inference_cost: completion.isByok ? toUsd(completion.cost.total) : 0,
    created_at: new Date(completion.createdAt).toISOString(),
    model: completion.model,
    app_id: null,
    streamed: stored.isStreamed,
    cancelled: stored.isCancelled,
    provider_name: completion.provider,
    latency: 0,
    moderation_latency: null,
    generation_time: 0,
    finish_reason: stored.isCancelled ? null : completion.finishReason,
    tokens_prompt: completion.promptTokens,
    tokens_completion: stored.completionTokens,
    native_tokens_prompt: completion.promptTokens,
    native_tokens_completion: stored.completionTokens,
    native_tokens_completion_images: completion.imageTokens,
    native_tokens_reasoning: completion.reasoningTokens,
    native_tokens_cached: completion.cachedTokens,
    num_media_prompt: null,
    num_input_audio_prompt: null,
    num_media_completion: hasImages ? 1 : null,
    num_search_results: completion.webSearches || null,
    num_fetches: null,
    web_search_engine: null,
    origin: headers['http-referer'] ?? headers['referer'] ?? '',
    usage: stored.chargedUsd,
    is_byok: completion.isByok,
    native_finish_reason: stored.isCancelled ? null : toNativeReason(completion.finishReason),
    external_user: null,
    api_type: stored.apiType ?? 'completions',
    router: null,
    provider_responses: completion.attempts.map(({ provider, model, status }) => ({
      provider_name: provider,
      model_permaslug: model,
      status,
      latency: 0,
      is_byok: completion.isByok,
    })),
    user_agent: headers['user-agent'] ?? null,
    http_referer: headers['http-referer'] ?? headers['referer'] ?? null,
    service_tier: null,
    session_id: stored.sessionId,
    preset_id: null,
    response_cache_source_id: null,
    data_region: 'global',
    workspace_id: null,
  };
}
