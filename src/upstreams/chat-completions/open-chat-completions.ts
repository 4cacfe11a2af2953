import type { Log } from '#kit/index.ts';
import type { Outbound } from '../outbound/open-outbound.ts';
import { systemTimers, type Timers } from '../timers.ts';
import { toWire } from './adjustments.ts';
import type { Upstream } from './chat.ts';
import { listUpstreamModels, type UpstreamModels } from './list-upstream-models.ts';
import { listTexts } from './message-parts.ts';
import { rememberAdjustments } from './remember-adjustments.ts';
import { sendChat } from './send-chat.ts';

interface ChatCompletionsOptions {
  outbound: Outbound;
  log: Log;
  timers?: Timers;
  idleTimeoutMs?: number;
}

export interface ChatCompletions {
  /** The upstream at `{baseUrl}/chat/completions`. Its `chat` throws `invalid_input` when the URL may not be called. */
  at(baseUrl: string): Upstream;
  /** Its models by `{baseUrl}/models`. Throws `invalid_input` when the URL may not be called. */
  listModels(place: { baseUrl: string; apiKey: string }): Promise<UpstreamModels>;
}

/** Any upstream that speaks chat completions, at a URL that a creator named; so only through the safe outbound rules. */
export function openChatCompletions(options: ChatCompletionsOptions): ChatCompletions {
  const deps = { name: 'chat_completions', log: options.log, timers: options.timers ?? systemTimers };
  const memory = rememberAdjustments();
  return {
    listModels: async ({ baseUrl, apiKey }) => {
      const { url, dispatcher } = options.outbound.open(baseUrl);
      const path = `${url.pathname.replace(/\/+$/, '')}/models${url.search}`;
      return listUpstreamModels({ dispatcher, origin: url.origin, path, apiKey });
    },
    at: (baseUrl) => ({
      chat: async (request, call) => {
        const { url, dispatcher } = options.outbound.open(baseUrl);
        return sendChat(
          deps,
          {
            dispatcher,
            origin: url.origin,
            path: `${url.pathname.replace(/\/+$/, '')}/chat/completions${url.search}`,
            headers: {
              ...(call.apiKey === '' ? {} : { authorization: `Bearer ${call.apiKey}` }),
              'content-type': 'application/json',
              accept: 'text/event-stream',
            },
            toBody: (adjustments) => JSON.stringify(toWire(request, adjustments)),
            lessons: { memory, key: JSON.stringify([url.href, request.model]) },
            secrets: [call.apiKey, ...listTexts(request.messages)],
            idleTimeoutMs: options.idleTimeoutMs ?? 60_000,
          },
          call,
        );
      },
    }),
  };
}
