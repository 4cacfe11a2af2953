import { Big } from 'big.js';
import type { Account } from './api-key.ts';
import type { Endpoint } from './list-endpoints.ts';
import { maxTokensOf } from './parse-chat.ts';
import type { ChatRequest } from './parse-chat.ts';
import { refuse, withAvailability } from './refusal.ts';
import type { Refusal } from './refusal.ts';

/** One provider that was asked, in the order in which they were. */
export interface Attempt {
  provider: string;
  model: string;
  status: number;
}

interface Asked {
  /** As the request names it. */
  modelId: string;
  request: ChatRequest;
  account: Account;
  /** What a suffix of the model's name asks for. */
  sort: Sort | null;
  maxCompletionTokens: number | null;
}

export type Sort = 'price' | 'throughput' | 'latency' | 'exacto';

interface Filter {
  /** As OpenRouter calls the step. */
  step: string;
  excludedBy: string | null;
  message: string;
  keeps(endpoint: Endpoint): boolean;
}

/** Who serves a request: the first in the order of preference of those that no filter removes and that are up. */
export function chooseEndpoint(
  endpoints: readonly Endpoint[],
  asked: Asked,
): { endpoint: Endpoint; available: readonly Endpoint[]; attempts: Attempt[] } | Refusal {
  const funnel = [{ step: 'Start', endpoint_count: endpoints.length }];
  let left = endpoints;
  for (const filter of listFilters(asked)) {
    const kept = left.filter((endpoint) => filter.keeps(endpoint));
    funnel.push({ step: filter.step, endpoint_count: kept.length });
    if (kept.length === 0) {
      return refuseRoute(asked, { filter, funnel, endpoints });
    }
    left = kept;
  }
  const sorted = sortEndpoints(left, asked);
  const tried = asked.request.provider?.allow_fallbacks === false ? sorted.slice(0, 1) : sorted;
  const at = tried.findIndex(({ status }) => status >= 0);
  const endpoint = tried[at];
  const attempts = tried.slice(0, at < 0 ? tried.length : at + 1).map(({ providerName, status }) => ({
    provider: providerName,
    model: asked.modelId,
    status: status < 0 ? 503 : 200,
  }));
  if (endpoint === undefined) {
    return refuse(503, 'No available model provider meets your routing requirements', {
      error_type: 'provider_overloaded',
      provider_name: tried[0]?.providerName ?? null,
      previous_errors: attempts.map(({ provider, status }) => ({ provider, code: status, status })),
    });
  }
  return { endpoint, available: left, attempts };
}

function listFilters({ request, account, maxCompletionTokens }: Asked): Filter[] {
  const { provider } = request;
  const wanted = request.provider?.require_parameters === true ? parametersOf(request) : [];
  const needsZdr = account.zdr || provider?.zdr === true;
  const needsPrivacy = account.deniesTraining || provider?.data_collection === 'deny';
  const maxTokens = maxTokensOf(request) ?? 0;
  return [
    {
      step: 'Filter by Parameters',
      excludedBy: wanted.length > 0 ? 'require_parameters' : null,
      message: 'No endpoints found that can handle the requested parameters.',
      keeps: ({ supportedParameters }) =>
        wanted.every((parameter) => supportedParameters.includes(parameter)) &&
        (maxCompletionTokens === null || maxTokens <= maxCompletionTokens),
    },
    {
      step: 'Filter by Guardrails',
      excludedBy: needsZdr ? 'data_policy:zdr' : 'data_policy:training',
      message: 'No endpoints found matching your data policy. Configure: https://openrouter.ai/settings/privacy',
      keeps: (endpoint) => (!needsZdr || endpoint.provider.isZdr) && (!needsPrivacy || !endpoint.provider.trainsOnData),
    },
    {
      step: 'Filter by Allowed Providers',
      excludedBy: 'allowed_providers',
      message: 'No allowed providers are available for the selected model.',
      keeps: ({ tag }) => isAllowed(tag, provider ?? {}),
    },
    {
      step: 'Filter by Quantization',
      excludedBy: 'quantization',
      message: 'No endpoints found that have the requested quantizations.',
      keeps: (endpoint) =>
        !provider?.quantizations?.length ||
        provider.quantizations.includes(endpoint.provider.quantization ?? 'unknown'),
    },
    {
      step: 'Filter by Max Price',
      excludedBy: 'max_price',
      message: 'No endpoints found that satisfy the max price for this request.',
      keeps: ({ pricing }) => isWithinPrices(pricing, provider?.max_price ?? {}),
    },
  ];
}

type Preferences = NonNullable<ChatRequest['provider']>;

function isAllowed(tag: string, { only, ignore, order, allow_fallbacks: fallsBack }: Preferences): boolean {
  const isOrdered = fallsBack !== false || !order?.length || order.includes(tag);
  return isOrdered && (!only?.length || only.includes(tag)) && !ignore?.includes(tag);
}

const absent = new Set<unknown>([undefined, null]);

/** The parameters of a request that a provider may not know. */
function parametersOf(request: ChatRequest): string[] {
  const named = ['seed', 'stop', 'temperature', 'top_p', 'top_k', 'logprobs', 'top_logprobs', 'logit_bias', 'tools'];
  const given = named.filter((name) => !absent.has((request as Record<string, unknown>)[name]));
  const format = request.response_format?.type;
  return [
    ...given,
    ...(format === 'json_schema' ? ['structured_outputs'] : format === 'json_object' ? ['response_format'] : []),
    ...(request.reasoning || request.reasoning_effort ? ['reasoning'] : []),
  ];
}

type Bounds = NonNullable<Preferences['max_price']>;

/** Prices are per token or per piece; the bounds of tokens are per million. */
function isWithinPrices(pricing: Record<string, unknown>, bounds: Bounds): boolean {
  return (
    isWithin(pricing['prompt'], bounds.prompt, 1_000_000) &&
    isWithin(pricing['completion'], bounds.completion, 1_000_000) &&
    isWithin(pricing['request'], bounds.request, 1) &&
    isWithin(pricing['image'], bounds.image, 1) &&
    isWithin(pricing['audio'], bounds.audio, 1)
  );
}

function isWithin(price: unknown, bound: string | number | undefined, units: number): boolean {
  return bound === undefined || typeof price !== 'string' || new Big(price).times(units).lte(bound);
}

function sortEndpoints(endpoints: readonly Endpoint[], { request, sort: suffix }: Asked): Endpoint[] {
  const { order, sort: wished } = request.provider ?? {};
  const sort = (typeof wished === 'object' ? wished?.by : wished) ?? suffix;
  const rank = ({ tag }: Endpoint): number => {
    const at = order?.indexOf(tag) ?? -1;
    return at < 0 ? (order?.length ?? 0) : at;
  };
  return endpoints.toSorted(
    (a, b) =>
      rank(a) - rank(b) || isSlow(a, request) - isSlow(b, request) || compare[sort ?? 'price'](a.provider, b.provider),
  );
}

const compare: Record<Sort, (a: Endpoint['provider'], b: Endpoint['provider']) => number> = {
  price: (a, b) => Number(a.factor) - Number(b.factor),
  throughput: (a, b) => b.throughput - a.throughput,
  latency: (a, b) => a.latency - b.latency,
  exacto: (a, b) => a.lacks.length - b.lacks.length,
};

/** 1 for a provider that is slower than preferred: it stands behind the others, but is not refused. */
function isSlow({ provider }: Endpoint, request: ChatRequest): number {
  const least = toMedian(request.provider?.preferred_min_throughput);
  const most = toMedian(request.provider?.preferred_max_latency);
  return Number((least !== null && provider.throughput < least) || (most !== null && provider.latency > most));
}

function toMedian(preferred: number | Record<string, number> | null | undefined): number | null {
  return typeof preferred === 'number' ? preferred : (preferred?.['p50'] ?? null);
}

interface Dead {
  filter: Filter;
  funnel: readonly { step: string; endpoint_count: number }[];
  endpoints: readonly Endpoint[];
}

function refuseRoute({ modelId }: Asked, { filter, funnel, endpoints }: Dead): Refusal {
  const refusal = refuse(404, filter.message, {
    error_type: 'not_found',
    failed_routing_step: filter.step,
    routing_funnel: funnel,
    available_providers: endpoints.map(({ tag }) => tag),
  });
  return filter.excludedBy === null
    ? refusal
    : withAvailability(refusal, {
        code: 'no_endpoints_available',
        retryable: false,
        requested_models: [modelId],
        affected_providers: endpoints.map(({ providerName }) => providerName),
        excluded_by: filter.excludedBy,
        docs_url: 'https://openrouter.ai/docs/guides/routing/provider-selection',
      });
}
