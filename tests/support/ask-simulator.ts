import type { OpenRouterSimulator } from '../../sandbox/openrouter/start-simulator.ts';

export interface Question {
  /** The demo key named so, or the text of a key; the healthy one unless told. */
  key?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** Asks a simulator about lighthouses; `body` is laid over that. */
export function askSimulator(
  simulator: Pick<OpenRouterSimulator, 'url' | 'keys'>,
  body: Record<string, unknown> = {},
  { key = simulator.keys.healthy, headers = {}, signal }: Question = {},
): Promise<Response> {
  return fetch(`${simulator.url}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({
      model: 'openai/gpt-4.1-mini',
      messages: [{ role: 'user', content: 'Tell me about lighthouses' }],
      ...body,
    }),
    ...(signal ? { signal } : {}),
  });
}
