import { Pool } from 'undici';
import type { Log } from '#kit/index.ts';
import type { ChatRequest, Upstream } from '../chat-completions/chat.ts';
import { sendChat } from '../chat-completions/send-chat.ts';
import type { Outbound } from '../outbound/open-outbound.ts';
import { systemTimers, type Timers } from '../timers.ts';
import { getCredits, type Credits } from './get-credits.ts';
import type { JsonGet } from './get-json.ts';
import { getKey, type KeyCheck } from './get-key.ts';
import { isUp } from './is-up.ts';
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
  /** Every model of every output modality, as it came. Throws `upstream_failed`. */
  listModels(): Promise<unknown[]>;
  isUp(): Promise<boolean>;
  close(): Promise<void>;
}

export function openOpenRouter(options: OpenRouterOptions): OpenRouterClient {
  const timers = options.timers ?? systemTimers;
  const base = new URL(options.baseUrl);
  const basePath = base.pathname.replace(/\/+$/, '');
  const pool = new Pool(base.origin, { connections: options.connections ?? 128, keepAliveTimeout: 30_000 });
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
          secrets: [call.apiKey, ...request.messages.map((message) => message.content)],
          idleTimeoutMs: options.idleTimeoutMs ?? 60_000,
        },
        call,
      ),
    getKey: (apiKey) => getKey(source, apiKey),
    getCredits: (apiKey) => getCredits(source, apiKey),
    listModels: () => listModels(source),
    isUp: () => isUp(source),
    close: () => pool.close(),
  };
}

function toWire(request: ChatRequest): Record<string, unknown> {
  const image = request.imageConfig;
  return {
    model: request.model,
    models: request.fallbackModels?.length ? [request.model, ...request.fallbackModels] : undefined,
    messages: request.messages,
    modalities: request.modalities,
    audio: request.audio,
    image_config: image ? { aspect_ratio: image.aspectRatio, image_size: image.imageSize } : undefined,
    max_tokens: request.maxTokens,
    temperature: request.temperature,
    top_p: request.topP,
    frequency_penalty: request.frequencyPenalty,
    presence_penalty: request.presencePenalty,
    stream: true,
  };
}
