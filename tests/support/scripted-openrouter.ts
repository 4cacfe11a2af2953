import { afterAll, beforeAll } from 'vitest';
import {
  openOpenRouter,
  type ChatRequest,
  type ChatResult,
  type OpenRouterClient,
  type Outbound,
  type Timers,
} from '#upstreams/index.ts';
import { startScriptedUpstream, type ScriptedUpstream, type Step } from './scripted-upstream.ts';

export const CANARY_KEY = 'sk-or-v1-canary00canary00canary00canary00';
export const CANARY_PROMPT = 'Secret recipe: seven herbs, "two" spices\nand one lie.';

export const canaryRequest: ChatRequest = {
  model: 'acme/poet',
  messages: [{ role: 'user', content: CANARY_PROMPT }],
  maxTokens: 256,
};

/** Call at the top of a test file: an OpenRouter client on a scripted upstream, and what it logs. */
export function useScriptedOpenRouter() {
  const logged: unknown[] = [];
  const keep = (...line: unknown[]) => logged.push(line);
  const log = { debug: keep, info: keep, warn: keep, error: keep };
  let upstream: ScriptedUpstream;
  let client: OpenRouterClient;
  const open = (
    more: { timers?: Timers; idleTimeoutMs?: number; outbound?: Pick<Outbound, 'open'> } = {},
  ): OpenRouterClient =>
    openOpenRouter({
      baseUrl: `${upstream.url}/api/v1`,
      publicUrl: 'https://farebox.example',
      title: 'Farebox',
      log,
      ...more,
    });
  beforeAll(async () => {
    upstream = await startScriptedUpstream();
    client = open();
  });
  afterAll(async () => {
    await client.close();
    await upstream.close();
  });
  return {
    logged,
    open,
    get upstream() {
      return upstream;
    },
    get client() {
      return client;
    },
    /** One call of the canary request; the deadline is too close for a retry. */
    chat: (...steps: Step[]): Promise<ChatResult> => {
      upstream.script(...steps);
      const signal = new AbortController().signal;
      return client.chat(canaryRequest, { apiKey: CANARY_KEY, signal, deadlineMs: Date.now() + 900 });
    },
  };
}
