import type { Inference } from './infer.ts';

/** `openrouter_metadata`: who could have answered and who was asked. */
export function toRoutingMetadata({ request, route, completion }: Inference): Record<string, unknown> {
  const { attempts } = completion;
  return {
    requested: attempts[0]?.model ?? request.model ?? '',
    strategy: attempts.some(({ status }) => status !== 200) ? 'fallback' : strategyOf(request.model ?? ''),
    region: null,
    summary: `available=${route.available.length}, selected=${completion.provider}`,
    attempt: Math.max(1, attempts.length),
    attempts,
    is_byok: completion.isByok,
    endpoints: {
      total: route.available.length,
      available: route.available.map(({ providerName, tag }) => ({
        provider: providerName,
        model: completion.model,
        selected: tag === route.endpoint.tag,
      })),
    },
    generation_time: 0,
  };
}

function strategyOf(model: string): string {
  if (model.startsWith('~')) {
    return 'latest';
  }
  return model === 'openrouter/free' ? 'free' : model.startsWith('openrouter/') ? 'auto' : 'direct';
}
