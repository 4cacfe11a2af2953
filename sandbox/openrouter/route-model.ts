import type { Account } from './api-key.ts';
import type { Catalogue, CatalogueModel } from './catalogue.ts';
import { chooseEndpoint } from './choose-endpoint.ts';
import type { Attempt } from './choose-endpoint.ts';
import { checkInputs } from './check-inputs.ts';
import { listEndpoints } from './list-endpoints.ts';
import type { Endpoint } from './list-endpoints.ts';
import { maxTokensOf } from './parse-chat.ts';
import type { ChatRequest } from './parse-chat.ts';
import { readModelName } from './read-model-name.ts';
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
  /** Everybody who could have served it. */
  available: readonly Endpoint[];
  /** Who was asked, the last of them with success. */
  attempts: Attempt[];
}

interface Routing {
  catalogue: Catalogue;
  downProviders: ReadonlySet<string>;
}

interface Caller {
  account: Account;
  now: number;
}

/** The first of `model`, `models[]` that can serve the request, or why none can. */
export function routeModel(routing: Routing, request: ChatRequest, caller: Caller): Route | Refusal {
  const asked = [...(request.model === undefined ? [] : [request.model]), ...(request.models ?? [])];
  const failed: Attempt[] = [];
  let first: Refusal | null = null;
  for (const id of asked) {
    const outcome = routeTo(routing, request, { ...caller, id });
    if (!isRefusal(outcome)) {
      return { ...outcome, attempts: [...failed, ...outcome.attempts] };
    }
    first ??= outcome;
    failed.push({ provider: 'none', model: id, status: outcome.status });
  }
  return first ?? refuse(400, 'No models provided');
}

function routeTo(
  { catalogue, downProviders }: Routing,
  request: ChatRequest,
  at: Caller & { id: string },
): Route | Refusal {
  const asked = readModelName(at.id, (id) => catalogue.find(id) !== null);
  const named = asked.id === '' && asked.preset !== null ? findAny(catalogue) : catalogue.find(asked.id);
  if (named === null) {
    const refusal = refuse(400, `${at.id} is not a valid model ID`, { error_type: 'invalid_request' });
    return withAvailability(refusal, { code: 'model_not_found', retryable: false, requested_models: [at.id] });
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
  const tooLong = checkLength(model, request);
  if (tooLong !== null) {
    return tooLong;
  }
  const chosen = chooseEndpoint(listEndpoints(model, downProviders), {
    modelId: at.id,
    request,
    account: at.account,
    sort: asked.sort,
    maxCompletionTokens: model.top_provider.max_completion_tokens ?? null,
  });
  const [writesImage, isSpoken] = [modality === 'image', modality === 'audio'];
  return isRefusal(chosen) ? chosen : { ...chosen, model, writesImage, isSpoken, isOnline: asked.isOnline };
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
  const unread = checkInputs(model, request);
  if (unread !== null) {
    return unread;
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

function checkLength(model: CatalogueModel, request: ChatRequest): Refusal | null {
  const limit = model.context_length;
  const input = countPromptTokens(request.messages, model.id);
  const output = maxTokensOf(request) ?? 0;
  if (limit === null || input + output <= limit) {
    return null;
  }
  const message = `This endpoint's maximum context length is ${limit} tokens. However, you requested about ${input + output} tokens (${input} of text input, ${output} in the output). Please reduce the length of either one, or use the context-compression plugin to compress your prompt automatically.`;
  return refuse(400, message, { error_type: 'context_length_exceeded' });
}
