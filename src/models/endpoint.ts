import { safeParse } from '#kit/index.ts';
import { z } from 'zod';
import { describeFound } from './describe-found.ts';
import { listPrices, readPricing, type Pricing } from './pricing.ts';
import { toPlainText } from './to-plain-text.ts';

/** One provider that serves a model, as `GET /models/{author}/{slug}/endpoints` tells. */
export interface ModelEndpoint {
  /** What `provider.only` and its like name it by, such as `openai` or `openai/priority`. */
  tag: string;
  providerName: string;
  pricing: Pricing;
  contextLength: number | null;
  maxCompletionTokens: number | null;
  /** Such as `fp8`; `unknown` where the provider does not say. */
  quantization: string;
  supportedParameters: string[];
  /** 0 is well; negative: degraded or down. */
  status: number | null;
  /** Percent. */
  uptime30m: number | null;
  uptime1d: number | null;
  latencySeconds: Percentiles | null;
  tokensPerSecond: Percentiles | null;
}

export interface KeptEndpoints {
  openrouterId: string;
  /** The last good list; null where there never was one. */
  endpoints: ModelEndpoint[] | null;
  fetchedAt: Date | null;
  triedAt: Date | null;
  /** How the last try went wrong. */
  problem: string | null;
}

export type Percentiles = Partial<Record<'p50' | 'p75' | 'p90' | 'p99', number>>;

/** `problem` says why the list, or a part of it, is not believed; null: all of it is. */
export interface JudgedEndpoints {
  endpoints: ModelEndpoint[] | null;
  problem: string | null;
}

const MAX_ENDPOINTS = 200;

const tag = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._/:-]{0,99}$/);
const word = z.string().regex(/^[a-z0-9_-]{1,40}$/);
const count = z.int().positive().nullish().catch(null);
const share = z.number().min(0).max(100).nullish().catch(null);
const percentile = z.number().min(0).optional().catch(undefined);
const percentiles = z
  .object({ p50: percentile, p75: percentile, p90: percentile, p99: percentile })
  .nullish()
  .catch(null);

const entry = z.object({
  tag,
  provider_name: z.string().nullish().catch(null),
  pricing: z.unknown(),
  context_length: count,
  max_completion_tokens: count,
  quantization: word.nullish().catch(null),
  supported_parameters: z.array(z.unknown()).catch([]),
  status: z.int().nullish().catch(null),
  uptime_last_30m: share,
  uptime_last_1d: share,
  latency_last_30m: percentiles,
  throughput_last_30m: percentiles,
});

/**
 * Reads a list and judges it by the last good one. An empty list, or one in which everything has become free, is not
 * believed; a price that cannot be read keeps its last value, and a provider whose price was never read is left out: the
 * highest price that a call may be served at is sent along, so that it cannot answer either.
 */
export function judgeEndpoints(raw: readonly unknown[], last: readonly ModelEndpoint[]): JudgedEndpoints {
  const odd: string[] = [];
  const read = raw.slice(0, MAX_ENDPOINTS).flatMap((item) => {
    const parsed = readEndpoint(item, last);
    if (typeof parsed === 'string') {
      odd.push(parsed);
      return [];
    }
    return [parsed];
  });
  if (read.length === 0) {
    return { endpoints: null, problem: odd[0] ?? 'The list is empty.' };
  }
  if (last.some(isPriced) && !read.some(isPriced)) {
    return { endpoints: null, problem: 'Every provider would be free.' };
  }
  return { endpoints: read, problem: odd[0] ?? null };
}

function isPriced({ pricing }: ModelEndpoint): boolean {
  return listPrices(pricing).some((price) => price !== '0');
}

function readEndpoint(item: unknown, last: readonly ModelEndpoint[]): ModelEndpoint | string {
  const parsed = safeParse(entry, item);
  if (!parsed.success) {
    return `unreadable: ${describeFound(item)}`;
  }
  const { data } = parsed;
  const before = last.find((one) => one.tag === data.tag);
  const pricing = readPricing(data.pricing, before?.pricing);
  const kept = pricing.ok ? pricing.pricing : before?.pricing;
  if (kept === undefined) {
    return `${data.tag}: unreadable price`;
  }
  return {
    tag: data.tag,
    providerName: toPlainText(data.provider_name ?? data.tag, 100),
    pricing: kept,
    contextLength: data.context_length ?? null,
    maxCompletionTokens: data.max_completion_tokens ?? null,
    quantization: data.quantization ?? 'unknown',
    supportedParameters: data.supported_parameters.filter((name): name is string => safeParse(word, name).success),
    status: data.status ?? null,
    uptime30m: data.uptime_last_30m ?? null,
    uptime1d: data.uptime_last_1d ?? null,
    latencySeconds: toPercentiles(data.latency_last_30m),
    tokensPerSecond: toPercentiles(data.throughput_last_30m),
  };
}

function toPercentiles(found: z.output<typeof percentiles>): Percentiles | null {
  const known = Object.entries(found ?? {}).filter(([, value]) => value !== undefined);
  return known.length === 0 ? null : Object.fromEntries(known);
}
