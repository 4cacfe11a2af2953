import { Big } from 'big.js';
import { ASSUMED_IMAGE_OUTPUT_PER_MILLION, imageOutputPerMillion, routers, tokenizers } from './catalogue-facts.ts';

interface SourceCost {
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
  tiers?: (SourceCost & { inputTokensAbove: number })[];
}

/** The fields that we read of an entry in either source package. */
export interface SourceModel {
  id: string;
  name: string;
  type?: string;
  kind?: string;
  input: string[];
  output?: string[];
  cost: SourceCost;
  reasoning?: boolean;
  thinkingLevelMap?: Record<string, string | null>;
  contextWindow?: number | null;
  maxTokens?: number | null;
  compat?: { supportsStrictMode?: boolean; supportsSamplingParams?: boolean };
}

export type ApiModel = Record<string, unknown> & { id: string };

interface BuildContext {
  takenOn: string;
  sources: Map<string, SourceModel>;
  extras: Map<string, SourceModel>;
  assumedPrices: string[];
}

type Source = SourceModel & { output: string[] };

export function toApiModel(source: Source, context: BuildContext): ApiModel {
  const { id } = source;
  const created = createdOf(id, context.takenOn);
  const base = id.replace(/:[a-z]+$/, '');
  const hasDate = created !== context.takenOn;
  const slug = hasDate ? base : `${base}-${context.takenOn.replaceAll('-', '')}`;
  const aliasTarget = id.startsWith('~') ? findAliasTarget(source, context.sources) : undefined;
  const maxTokens = source.maxTokens && source.output.includes('text') ? source.maxTokens : null;
  return {
    id,
    canonical_slug: slug,
    ...(aliasTarget ? { alias_target: { name: aliasTarget.name, slug: aliasTarget.id } } : {}),
    hugging_face_id: null,
    name: source.name,
    created: Date.parse(created) / 1000,
    description: describe(source),
    context_length: source.contextWindow || null,
    architecture: {
      modality: `${source.input.join('+')}->${source.output.join('+')}`,
      input_modalities: source.input,
      output_modalities: source.output,
      tokenizer: tokenizers.find(([pattern]) => pattern.test(id))?.[1] ?? 'Other',
      instruct_type: null,
    },
    pricing: toPricing(source, context.assumedPrices),
    top_provider: {
      context_length: source.contextWindow || null,
      max_completion_tokens: maxTokens,
      is_moderated: /^~?(openai|anthropic)\//.test(id),
    },
    per_request_limits: null,
    supported_parameters: supportedParameters(source, context.extras.get(id)),
    default_parameters: {},
    supported_voices: null,
    knowledge_cutoff: null,
    expiration_date: null,
    links: { details: `/api/v1/models/${slug}/endpoints` },
    ...(source.reasoning ? { reasoning: toReasoning(source) } : {}),
  };
}

/** No source knows when a model was listed: the date in its id if there is one, else the date of the snapshot. */
function createdOf(id: string, takenOn: string): string {
  const full = /-(20\d{2})-?(\d{2})-?(\d{2})\b/.exec(id);
  if (full) {
    return `${full[1]}-${full[2]}-${full[3]}`;
  }
  const month = /-(\d{2})-(20\d{2})$/.exec(id);
  if (month) {
    return `${month[2]}-${month[1]}-01`;
  }
  const short = /-(2[4-6])(0[1-9]|1[0-2])(?=$|:|-)/.exec(id);
  return short ? `20${short[1]}-${short[2]}-01` : takenOn;
}

/** The sources do not say where a `~…-latest` alias points: the last model of its family with the same price. */
function findAliasTarget(alias: SourceModel, sources: Map<string, SourceModel>): SourceModel | undefined {
  const stem = alias.id.slice(1).replace(/-latest$/, '');
  const [author = '', family = ''] = stem.split('/');
  const word = family.split('-').at(-1) ?? family;
  const price = JSON.stringify(alias.cost);
  return [...sources.values()]
    .filter((model) => model.id.startsWith(`${author}/`) && model.id.includes(word) && !model.id.includes(':'))
    .filter((model) => JSON.stringify(model.cost) === price)
    .filter((model) => model.id.endsWith('-pro') === stem.endsWith('-pro'))
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .at(-1);
}

/** "3" per million -> "0.000003": decimal text without float noise. */
function perToken(usdPerMillion: number): string {
  return new Big(usdPerMillion.toPrecision(12)).div(1_000_000).toFixed();
}

function toPricing(source: Source, assumedPrices: string[]): Record<string, unknown> {
  if (routers.test(source.id)) {
    return { prompt: '-1', completion: '-1' };
  }
  const { cost } = source;
  const pricing: Record<string, unknown> = { prompt: perToken(cost.input), completion: perToken(cost.output) };
  if (source.output.includes('image')) {
    const known = imageOutputPerMillion[source.id];
    if (known === undefined) {
      assumedPrices.push(source.id);
    }
    pricing['image_output'] = perToken(known ?? ASSUMED_IMAGE_OUTPUT_PER_MILLION);
  }
  Object.assign(pricing, cachePrices(cost));
  if (cost.tiers?.length) {
    pricing['overrides'] = cost.tiers.map((tier) => ({
      min_prompt_tokens: tier.inputTokensAbove,
      prompt: perToken(tier.input),
      completion: perToken(tier.output),
      ...cachePrices(tier),
    }));
  }
  return pricing;
}

function cachePrices(cost: SourceCost): Record<string, string> {
  return {
    ...(cost.cacheRead > 0 ? { input_cache_read: perToken(cost.cacheRead) } : {}),
    ...(cost.cacheWrite > 0 ? { input_cache_write: perToken(cost.cacheWrite) } : {}),
  };
}

function supportedParameters(source: Source, extra: SourceModel | undefined): string[] {
  if (!source.output.includes('text')) {
    return source.output.includes('image') ? ['seed'] : [];
  }
  const samples = extra?.compat?.supportsSamplingParams !== false;
  const isStrict = source.compat?.supportsStrictMode === true;
  const isChat = source.type === 'chat';
  return [
    ...(samples ? ['frequency_penalty'] : []),
    ...(source.reasoning ? ['include_reasoning'] : []),
    'max_tokens',
    ...(samples ? ['presence_penalty'] : []),
    ...(source.reasoning ? ['reasoning'] : []),
    ...(source.thinkingLevelMap ? ['reasoning_effort'] : []),
    'response_format',
    'seed',
    ...(samples ? ['stop'] : []),
    ...(isStrict ? ['structured_outputs'] : []),
    ...(samples ? ['temperature'] : []),
    ...(isChat ? ['tool_choice', 'tools'] : []),
    ...(samples ? ['top_p'] : []),
  ];
}

function toReasoning(source: SourceModel): Record<string, unknown> {
  const levels = source.thinkingLevelMap ?? { off: 'none', low: 'low', medium: 'medium', high: 'high' };
  const efforts = ['max', 'xhigh', 'high', 'medium', 'low', 'minimal'].filter((effort) => levels[effort]);
  const isMandatory = levels['off'] === null;
  return {
    mandatory: isMandatory,
    default_enabled: isMandatory,
    supported_efforts: efforts.length > 0 ? efforts : null,
    default_effort: efforts.includes('medium') ? 'medium' : (efforts.at(-1) ?? null),
    supports_max_tokens: /^~?(anthropic|google|qwen)\//.test(source.id),
  };
}

function describe(source: Source): string {
  const reads = source.input.join(', ');
  const writes = source.output.join(' and ');
  const size = source.contextWindow ? `, up to ${source.contextWindow.toLocaleString('en-US')} tokens of context` : '';
  return `Reads ${reads}; writes ${writes}${size}.${source.reasoning ? ' Can reason before it answers.' : ''}`;
}
