import { Pool } from 'undici';
import type { Log } from '#kit/index.ts';
import type { ChatRequest, ProviderChoice, Upstream } from '../chat-completions/chat.ts';
import { listTexts, toWireMessages } from '../chat-completions/message-parts.ts';
import { toWireFormat } from '../chat-completions/response-format.ts';
import { sendChat } from '../chat-completions/send-chat.ts';
import type { Outbound } from '../outbound/open-outbound.ts';
import { systemTimers, type Timers } from '../timers.ts';
import { exchangeCode, type CodeExchange } from './exchange-code.ts';
import { getCredits, type Credits } from './get-credits.ts';
import { getGenerationCost, type GenerationCost } from './get-generation-cost.ts';
import type { JsonGet } from './get-json.ts';
import { getKey, type KeyCheck } from './get-key.ts';
import { isUp } from './is-up.ts';
import { listEndpoints } from './list-endpoints.ts';
import { listModels } from './list-models.ts';
import type { MediaUpstream } from './media.ts';
import { openMediaUpstream } from './open-media-upstream.ts';

interface OpenRouterOptions {
  /** Such as `https://openrouter.ai/api/v1`. */
  baseUrl: string;
  /** Sent as HTTP-Referer: without it OpenRouter attributes nothing. */
  publicUrl: string;
  title: string;
  log: Log;
  timers?: Timers;
  /** How addresses inside of answers are called; without it they are not. */
  outbound?: Pick<Outbound, 'open'>;
  connections?: number;
  /** How long an answer may stand still; comments do not count as movement. */
  idleTimeoutMs?: number;
}

export interface OpenRouterClient extends Upstream {
  /** What is no chat. */
  media: MediaUpstream;
  /** Asks `GET /key` about the key itself. */
  getKey(apiKey: string): Promise<KeyCheck>;
  /** Asks `GET /credits` about the account behind the key. */
  getCredits(apiKey: string): Promise<Credits>;
  /** Asks `GET /generation` what one did cost. */
  getGenerationCost(asked: { generationId: string; apiKey: string }): Promise<GenerationCost>;
  /** The page on which a person grants a key: sent to `callbackUrl` with `code`, or without one where they refuse. */
  toConsentUrl(asked: { callbackUrl: string; challenge: string }): string;
  exchangeCode(given: { code: string; verifier: string }): Promise<CodeExchange>;
  /** Every model of every output modality, as it came. Throws `upstream_failed`. */
  listModels(): Promise<unknown[]>;
  /** The providers of one model, as they came; null: no such model. Throws `upstream_failed`. */
  listEndpoints(model: string): Promise<unknown[] | null>;
  isUp(): Promise<boolean>;
  close(): Promise<void>;
}

export function openOpenRouter(options: OpenRouterOptions): OpenRouterClient {
  const timers = options.timers ?? systemTimers;
  const base = new URL(options.baseUrl);
  const basePath = base.pathname.replace(/\/+$/, '');
  const pool = new Pool(base.origin, { connections: options.connections ?? 2_048, keepAliveTimeout: 30_000 });
  const attribution = { 'HTTP-Referer': options.publicUrl, 'X-OpenRouter-Title': options.title };
  const source: JsonGet = { pool, origin: base.origin, basePath, headers: attribution };
  return {
    media: openMediaUpstream({ ...source, timers, log: options.log, outbound: options.outbound ?? null }),
    chat: (request, call) =>
      sendChat(
        { name: 'openrouter', log: options.log, timers },
        {
          dispatcher: pool,
          origin: base.origin,
          path: `${basePath}/chat/completions`,
          headers: {
            ...attribution,
            authorization: `Bearer ${call.apiKey}`,
            'content-type': 'application/json',
            accept: 'text/event-stream',
          },
          // OpenRouter fits a request to each provider by itself.
          toBody: () => JSON.stringify(toWire(request)),
          ...(request.audio ? { audioFormat: request.audio.format } : {}),
          lessons: null,
          secrets: [call.apiKey, ...listTexts(request.messages)],
          idleTimeoutMs: options.idleTimeoutMs ?? 60_000,
        },
        call,
      ),
    getKey: (apiKey) => getKey(source, apiKey),
    getCredits: (apiKey) => getCredits(source, apiKey),
    getGenerationCost: (asked) => getGenerationCost(source, asked),
    toConsentUrl: ({ callbackUrl, challenge }) => {
      const query = { callback_url: callbackUrl, code_challenge: challenge, code_challenge_method: 'S256' };
      return `${base.origin}/auth?${new URLSearchParams({ ...query, key_label: options.title }).toString()}`;
    },
    exchangeCode: (given) => exchangeCode(source, given),
    listModels: () => listModels(source),
    listEndpoints: (model) => listEndpoints(source, model),
    isUp: () => isUp(source),
    close: () => pool.close(),
  };
}

function toWire(request: ChatRequest): Record<string, unknown> {
  const image = request.imageConfig;
  return {
    model: request.model,
    models: request.fallbackModels?.length ? [request.model, ...request.fallbackModels] : undefined,
    messages: toWireMessages(request.messages),
    plugins: request.pdfEngine ? [{ id: 'file-parser', pdf: { engine: request.pdfEngine } }] : undefined,
    modalities: request.modalities,
    audio: request.audio,
    image_config: image ? { aspect_ratio: image.aspectRatio, image_size: image.imageSize } : undefined,
    provider: request.provider && toProvider(request.provider),
    max_tokens: request.maxTokens,
    temperature: request.temperature,
    top_p: request.topP,
    frequency_penalty: request.frequencyPenalty,
    presence_penalty: request.presencePenalty,
    reasoning: request.reasoning
      ? {
          effort: request.reasoning.effort,
          max_tokens: request.reasoning.maxTokens,
          exclude: request.reasoning.exclude,
        }
      : undefined,
    response_format: toWireFormat(request.responseFormat),
    tools: request.webSearch ? [toSearchTool(request.webSearch)] : undefined,
    stream: true,
  };
}

/** The engine is named, because some ignore how often they may be used (https://openrouter.ai/docs/features/web-search). */
function toSearchTool(search: NonNullable<ChatRequest['webSearch']>): Record<string, unknown> {
  return {
    type: 'openrouter:web_search',
    parameters: {
      engine: search.engine,
      max_uses: search.maxUses,
      max_results: search.maxResults,
      max_total_results: search.maxUses * search.maxResults,
      allowed_domains: search.allowedDomains,
      excluded_domains: search.excludedDomains,
    },
  };
}

function toProvider(choice: ProviderChoice): Record<string, unknown> {
  return {
    order: choice.order,
    only: choice.only,
    ignore: choice.ignore,
    allow_fallbacks: choice.allowFallbacks,
    zdr: choice.zdr,
    data_collection: choice.dataCollection,
    quantizations: choice.quantizations,
    sort: choice.sort,
    require_parameters: choice.requireParameters,
    max_price: choice.maxPrice,
  };
}
