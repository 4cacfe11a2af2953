import type { OpenRouterSimulator } from '#sandbox/openrouter/start-simulator.ts';

/** A film that the simulator makes as a job. */
export const film = {
  priceUsdc: '2.2',
  timeoutSeconds: 120,
  config: { modelId: 'google/veo-3.1', systemPrompt: 'Film {topic}{/topic}.', video: { durationSeconds: 5 } },
};

/** How many films were ordered. */
export function countOrders({ control }: Pick<OpenRouterSimulator, 'control'>): number {
  return control.requests.filter(({ method, path }) => method === 'POST' && path.endsWith('/videos')).length;
}
