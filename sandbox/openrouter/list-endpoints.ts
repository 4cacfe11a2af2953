import { Big } from 'big.js';
import type { CatalogueModel } from './catalogue.ts';
import { providers } from './providers.ts';
import type { Provider } from './providers.ts';

/** One simulated provider of a model. */
export interface Endpoint {
  tag: string;
  providerName: string;
  provider: Provider;
  pricing: Record<string, unknown>;
  supportedParameters: readonly string[];
  /** Below 0 while it is down. */
  status: number;
}

const DOWN = -5;
const nobody: ReadonlySet<string> = new Set();

/** A model is served at its list price and, where it writes text and is not free, by dearer providers too. */
export function listEndpoints(model: CatalogueModel, downProviders = nobody): Endpoint[] {
  const writesText = model.architecture.output_modalities.includes('text');
  const isFree = model.id.endsWith(':free');
  return providers
    .filter((provider) => !provider.isSecond || (writesText && !isFree))
    .map((provider) => ({
      tag: provider.tag,
      providerName: provider.name,
      provider,
      pricing: scale(model.pricing, provider.factor),
      supportedParameters: model.supported_parameters.filter((parameter) => !provider.lacks.includes(parameter)),
      status: downProviders.has(provider.tag) ? DOWN : 0,
    }));
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

/** `data` of `GET /models/{author}/{slug}/endpoints`. */
export function toEndpointsJson(model: CatalogueModel, downProviders: ReadonlySet<string>): Record<string, unknown> {
  const { architecture } = model;
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
    endpoints: listEndpoints(model, downProviders).map((endpoint) => toEndpointJson(model, endpoint)),
  };
}

export function toEndpointJson(model: CatalogueModel, endpoint: Endpoint): Record<string, unknown> {
  const usesTools = model.supported_parameters.includes('tool_choice');
  const { latency, throughput } = endpoint.provider;
  const latencies = { p50: latency, p75: latency * 1.5, p90: latency * 2.25, p99: latency * 4 };
  const speeds = { p50: throughput, p75: throughput * 0.9, p90: throughput * 0.75, p99: throughput * 0.5 };
  const uptime = endpoint.status < 0 ? 0 : 100;
  return {
    name: `${endpoint.providerName} | ${model.canonical_slug}`,
    model_id: model.id,
    model_name: model.name,
    context_length: model.context_length ?? 0,
    pricing: endpoint.pricing,
    provider_name: endpoint.providerName,
    tag: endpoint.tag,
    quantization: endpoint.provider.quantization,
    max_completion_tokens: model.top_provider.max_completion_tokens ?? null,
    max_prompt_tokens: null,
    supported_parameters: endpoint.supportedParameters,
    supports_tool_choice: { auto: usesTools, function: usesTools, none: usesTools, required: usesTools },
    status: endpoint.status,
    uptime_last_5m: uptime,
    uptime_last_30m: uptime,
    uptime_last_1d: endpoint.status < 0 ? 99.5 : 100,
    supports_implicit_caching: 'input_cache_read' in model.pricing,
    supports_voice_cloning: false,
    latency_last_30m: latencies,
    throughput_last_30m: speeds,
    perf_last_30m_by_workload: {
      text_generation: { latency: latencies, throughput: speeds, request_count: 100 },
    },
  };
}
