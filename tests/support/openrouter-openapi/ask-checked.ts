import type { OpenRouterSimulator } from '../../../sandbox/openrouter/start-simulator.ts';
import type { AnswerCheck } from './check-answer.ts';
import type { Sent } from './media-cases.ts';

/** Asks the simulator. @returns the answer, and what of it is not as OpenRouter's document says. */
export async function askChecked(
  { simulator, openApi }: { simulator: Pick<OpenRouterSimulator, 'url' | 'keys'>; openApi: AnswerCheck },
  [method, path]: readonly [method: string, path: string],
  { key, body, headers = {} }: Sent = {},
) {
  const response = await fetch(`${simulator.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${key ?? simulator.keys.healthy}`,
      'content-type': 'application/json',
      ...headers,
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const text = await response.text();
  const contentType = response.headers.get('content-type') ?? '';
  const checked = openApi.check({ method, path: path.split('?')[0] ?? '', status: response.status, contentType, text });
  return { ...checked, status: response.status, text };
}
