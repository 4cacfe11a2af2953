import { canonicalJson, sha256Hex } from '#kit/index.ts';
import type { ChatRequest } from './parse-chat.ts';
import { countPromptTokens } from './tokens.ts';

interface SeenMessage {
  hash: string;
  tokens: number;
}

export interface CacheUse {
  cached: number;
  written: number;
}

export interface PromptCache {
  /** How much of the prompt this session has sent before, and how much of it is new to the cache. Changes nothing. */
  look(asked: CacheRequest): CacheUse;
  /** Remembers the messages of a request that was answered. */
  remember(asked: CacheRequest): void;
  clear(): void;
}

export interface CacheRequest {
  userId: string;
  /** The provider that answers: a cache is not shared between providers. */
  tag: string;
  model: string;
  pricing: Record<string, unknown>;
  session: string | undefined;
  messages: ChatRequest['messages'];
}

const MAX_SESSIONS = 1_000;

/** Prompt caches of the providers, one per session: requests without a session are never cached here. */
export function openPromptCache(): PromptCache {
  const sessions = new Map<string, SeenMessage[]>();
  return {
    look: (asked) => {
      if (asked.session === undefined || !('input_cache_read' in asked.pricing)) {
        return {
          cached: 0,
          written: writesUnasked(asked) ? sum(asked.messages.map((one) => digest(one, asked.model))) : 0,
        };
      }
      const seen = sessions.get(nameOf(asked)) ?? [];
      const messages = asked.messages.map((message) => digest(message, asked.model));
      const firstNew = messages.findIndex(({ hash }, at) => seen[at]?.hash !== hash);
      const known = firstNew < 0 ? messages : messages.slice(0, firstNew);
      const fresh = firstNew < 0 ? [] : messages.slice(firstNew);
      const isWriteBilled = 'input_cache_write' in asked.pricing;
      return { cached: sum(known), written: isWriteBilled ? sum(fresh) : 0 };
    },
    remember: (asked) => {
      if (asked.session === undefined) {
        return;
      }
      const name = nameOf(asked);
      sessions.delete(name);
      sessions.set(
        name,
        asked.messages.map((message) => digest(message, asked.model)),
      );
      const [oldest] = sessions.keys();
      if (sessions.size > MAX_SESSIONS && oldest !== undefined) {
        sessions.delete(oldest);
      }
    },
    clear: () => sessions.clear(),
  };
}

/** Makers that fill their cache with every prompt, and bill it (https://openrouter.ai/docs/features/prompt-caching). */
function writesUnasked({ model, pricing }: CacheRequest): boolean {
  return model.startsWith('openai/') && 'input_cache_write' in pricing;
}

function nameOf({ userId, tag, model, session }: CacheRequest): string {
  return [userId, tag, model, session].join('\n');
}

function digest(message: ChatRequest['messages'][number], model: string): SeenMessage {
  return {
    hash: sha256Hex(canonicalJson(message)),
    tokens: countPromptTokens([message], model) - countPromptTokens([], model),
  };
}

function sum(messages: readonly SeenMessage[]): number {
  return messages.reduce((total, { tokens }) => total + tokens, 0);
}
