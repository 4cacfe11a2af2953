import { Big } from 'big.js';
import type { CatalogueModel } from './catalogue.ts';

/** One simulated provider of a model. */
export interface Endpoint {
  tag: string;
  providerName: string;
  pricing: Record<string, unknown>;
}

/** Each model is served at its list price and, with text output, by a dearer provider too. */
const providers = [
  { tag: 'simulated', providerName: 'Simulated', factor: '1', textOnly: false },
  { tag: 'simulated-plus', providerName: 'Simulated Plus', factor: '1.25', textOnly: true },
];

export function listEndpoints(model: CatalogueModel): Endpoint[] {
  const writesText = model.architecture.output_modalities.includes('text');
  const isFree = model.id.endsWith(':free');
  return providers
    .filter((provider) => !provider.textOnly || (writesText && !isFree))
    .map(({ tag, providerName, factor }) => ({ tag, providerName, pricing: scale(model.pricing, factor) }));
}

function scale(pricing: Record<string, unknown>, factor: string): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(pricing).map(([key, value]) => {
      if (Array.isArray(value)) {
        return [key, value.map((tier) => scale(tier as Record<string, unknown>, factor))];
      }
      const isPrice = typeof value === 'string' && !value.startsWith('-');
      return [key, isPrice ? new Big(value).times(factor).toFixed() : value];
    }),
  );
}

const percentiles = { p50: 0.4, p75: 0.6, p90: 0.9, p99: 1.6 };
const speeds = { p50: 80, p75: 72, p90: 60, p99: 40 };

/** `data` of `GET /models/{author}/{slug}/endpoints`. */
export function toEndpointsJson(model: CatalogueModel): Record<string, unknown> {
  const { architecture } = model;
  const usesTools = model.supported_parameters.includes('tool_choice');
  return {
    id: model.id,
    name: model.name,
    created: model.created,
    description: model.description ?? '',
    architecture: {
      ...architecture,
      tokenizer: architecture['tokenizer'] ?? null,
      instruct_type: architecture['instruct_type'] ?? null,
    },
    endpoints: listEndpoints(model).map((endpoint) => ({
      name: `${endpoint.providerName} | ${model.canonical_slug}`,
      model_id: model.id,
      model_name: model.name,
      context_length: model.context_length ?? 0,
      pricing: endpoint.pricing,
      provider_name: endpoint.providerName,
      tag: endpoint.tag,
      quantization: null,
      max_completion_tokens: model.top_provider.max_completion_tokens ?? null,
      max_prompt_tokens: null,
      supported_parameters: model.supported_parameters,
      supports_tool_choice: { auto: usesTools, function: usesTools, none: usesTools, required: usesTools },
      status: 0,
      uptime_last_5m: 100,
      uptime_last_30m: 100,
      uptime_last_1d: 100,
      supports_implicit_caching: false,
      supports_voice_cloning: false,
      latency_last_30m: percentiles,
      throughput_last_30m: speeds,
      perf_last_30m_by_workload: {
        text_generation: { latency: percentiles, throughput: speeds, request_count: 100 },
      },
    })),
  };
}
