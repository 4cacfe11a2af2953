import { Big } from 'big.js';
import type { Catalogue, CatalogueModel } from './catalogue.ts';
import { listEndpoints } from './list-endpoints.ts';
import type { Endpoint } from './list-endpoints.ts';
import { maxTokensOf } from './parse-chat.ts';
import type { ChatRequest } from './parse-chat.ts';
import { readModelName } from './read-model-name.ts';
import type { AskedModel } from './read-model-name.ts';
import { isRefusal, refuse, withAvailability } from './refusal.ts';
import type { Refusal } from './refusal.ts';
import { countPromptTokens } from './tokens.ts';

export interface Route {
  model: CatalogueModel;
  endpoint: Endpoint;
  writesImage: boolean;
  isSpoken: boolean;
  /** With a web search that is billed. */
  isOnline: boolean;
}

/** The first of `model`, `models[]` that can serve the request, or why none can. */
export function routeModel(catalogue: Catalogue, request: ChatRequest, now: number): Route | Refusal {
  const asked = [...(request.model === undefined ? [] : [request.model]), ...(request.models ?? [])];
  const outcomes = asked.map((id) => routeTo(catalogue, request, { id, now }));
  return (
    outcomes.find((outcome): outcome is Route => !isRefusal(outcome)) ??
    outcomes[0] ??
    refuse(400, 'No models provided')
  );
}

function routeTo(catalogue: Catalogue, request: ChatRequest, at: { id: string; now: number }): Route | Refusal {
  const asked = readModelName(at.id, (id) => catalogue.find(id) !== null);
  const named = asked.id === '' && asked.preset !== null ? findAny(catalogue) : catalogue.find(asked.id);
  if (named === null) {
    return refuse(400, `${at.id} is not a valid model ID`, { error_type: 'invalid_request' });
  }
  const model = chooseModel(catalogue, named);
  const expiry = model.expiration_date;
  if (expiry && Date.parse(expiry) <= at.now) {
    return refuseRetired(catalogue, model);
  }
  const modality = chooseModality(model, request);
  if (typeof modality !== 'string') {
    return modality;
  }
  const endpoint = chooseEndpoint(model, request, asked);
  if (isRefusal(endpoint)) {
    return endpoint;
  }
  return (
    checkLength(model, request) ?? {
      model,
      endpoint,
      writesImage: modality === 'image',
      isSpoken: modality === 'audio',
      isOnline: asked.isOnline,
    }
  );
}

/** Aliases and routers answer with another model: the target, or the first that has the router's kind of price. */
function chooseModel(catalogue: Catalogue, named: CatalogueModel): CatalogueModel {
  if (named.alias_target) {
    return catalogue.find(named.alias_target.slug) ?? named;
  }
  const isRouter = named.pricing['prompt'] === '-1' || named.id === 'openrouter/free';
  if (!isRouter) {
    return named;
  }
  const wantsFree = named.id === 'openrouter/free';
  const suits = (model: CatalogueModel): boolean =>
    model.pricing['prompt'] !== '-1' &&
    model.alias_target === undefined &&
    model.id.endsWith(':free') === wantsFree &&
    model.architecture.output_modalities.join() === 'text' &&
    model.id !== named.id &&
    !model.expiration_date;
  return catalogue.list.find(suits) ?? named;
}

/** A preset alone chooses the model too. */
function findAny(catalogue: Catalogue): CatalogueModel | null {
  const isPlain = ({ id, pricing, architecture }: CatalogueModel): boolean =>
    !id.startsWith('~') && pricing['prompt'] !== '-1' && architecture.output_modalities.join() === 'text';
  return catalogue.list.find(isPlain) ?? null;
}

function refuseRetired(catalogue: Catalogue, model: CatalogueModel): Refusal {
  const author = model.id.split('/')[0];
  const fallbacks = catalogue.list
    .filter((other) => other.id.startsWith(`${author}/`) && other.id !== model.id && !other.expiration_date)
    .slice(-2)
    .map((other) => other.id);
  const message = `${model.id} has been deprecated and is no longer available.`;
  return withAvailability(refuse(404, message, { error_type: 'not_found' }), {
    code: 'model_deprecated',
    retryable: false,
    requested_models: [model.id],
    fallback_models: fallbacks,
    docs_url: 'https://openrouter.ai/docs/guides/overview/models',
  });
}

function chooseModality(model: CatalogueModel, request: ChatRequest): 'text' | 'image' | 'audio' | Refusal {
  const outputs = model.architecture.output_modalities;
  const wanted = request.modalities ?? (outputs.includes('text') ? ['text'] : outputs.slice(0, 1));
  if (wanted.some((modality) => !outputs.includes(modality)) || wanted.length === 0) {
    return refuse(404, `No endpoints found that support the requested output modalities: ${wanted.join(', ')}`, {
      error_type: 'not_found',
      failed_routing_step: 'Filter by Model Output Modalities',
    });
  }
  const readsImages = model.architecture.input_modalities.includes('image');
  const hasImages = request.messages.some(
    ({ content }) => Array.isArray(content) && content.some((part) => part.type === 'image_url'),
  );
  if (hasImages && !readsImages) {
    return refuse(404, 'No endpoints found that support image input', { error_type: 'not_found' });
  }
  if (request.tools?.length && !model.supported_parameters.includes('tools')) {
    return refuse(404, 'No endpoints found that support tool use. Try disabling tools.', {
      error_type: 'not_found',
      failed_routing_step: 'Filter by Tool Compatibility',
    });
  }
  if (wanted.includes('audio')) {
    return request.stream
      ? 'audio'
      : refuse(400, 'Audio output requires stream: true', { error_type: 'invalid_request' });
  }
  return wanted.includes('image') ? 'image' : 'text';
}

function chooseEndpoint(model: CatalogueModel, request: ChatRequest, { isFast }: AskedModel): Endpoint | Refusal {
  const { only, ignore, max_price: maxPrice } = request.provider ?? {};
  const byPreference = isFast ? listEndpoints(model).toReversed() : listEndpoints(model);
  const allowed = byPreference.filter(({ tag }) => (!only?.length || only.includes(tag)) && !ignore?.includes(tag));
  if (allowed.length === 0) {
    return refuse(404, 'No allowed providers are available for the selected model.', {
      error_type: 'not_found',
      failed_routing_step: 'Filter by Allowed Providers',
      available_providers: listEndpoints(model).map(({ tag }) => tag),
    });
  }
  const affordable = allowed.find(
    ({ pricing }) =>
      isWithin(pricing['prompt'], maxPrice?.prompt) && isWithin(pricing['completion'], maxPrice?.completion),
  );
  return (
    affordable ??
    refuse(404, 'No endpoints found that satisfy the max price for this request.', {
      error_type: 'not_found',
      failed_routing_step: 'Filter by Max Price',
    })
  );
}

/** Prices are per token, the bound is per million. */
function isWithin(price: unknown, bound: string | number | undefined): boolean {
  return bound === undefined || typeof price !== 'string' || new Big(price).times(1_000_000).lte(bound);
}

function checkLength(model: CatalogueModel, request: ChatRequest): Refusal | null {
  const limit = model.context_length;
  const input = countPromptTokens(request.messages);
  const output = maxTokensOf(request) ?? 0;
  if (limit === null || input + output <= limit) {
    return null;
  }
  const message = `This endpoint's maximum context length is ${limit} tokens. However, you requested about ${input + output} tokens (${input} of text input, ${output} in the output). Please reduce the length of either one, or use the context-compression plugin to compress your prompt automatically.`;
  return refuse(400, message, { error_type: 'context_length_exceeded' });
}
