import { Big } from 'big.js';
import { checkRate, debit, noteByokSpend, reserve } from './accounts.ts';
import type { ApiKey } from './api-key.ts';
import type { Attempt } from './choose-endpoint.ts';
import { BYOK_FEE, complete } from './completion.ts';
import type { Completion } from './completion.ts';
import { priceCall } from './cost.ts';
import type { Exchange } from './exchange.ts';
import type { ChosenFault } from './fault-plan.ts';
import { keepGeneration } from './find-generation.ts';
import { maxTokensOf } from './parse-chat.ts';
import type { ChatRequest } from './parse-chat.ts';
import type { CacheRequest, CacheUse } from './prompt-cache.ts';
import { readPrompt } from './read-prompt.ts';
import { isRefusal, refuse } from './refusal.ts';
import type { Refusal } from './refusal.ts';
import type { Sent } from './reply.ts';
import { routeModel } from './route-model.ts';
import type { Route } from './route-model.ts';
import type { State } from './state.ts';

/** What an account must cover when a request sets no `max_tokens`. */
const DEFAULT_RESERVED_TOKENS = 16_384;
/** Of the picture that is drawn unless another size is asked for. */
const TOKENS_PER_PICTURE = 1_290;
/** The model behind `sim/<fault>`, which needs some price. */
const FAULT_MODEL = 'openai/gpt-4.1-mini';
/** Of a provider or a model: the next of `models[]` is asked. What the account did wrong ends the request. */
const fallBackStatuses = new Set([403, 404, 408, 429, 500, 502, 503, 504, 524, 529]);

/** A request that was accepted and answered, before the answer has a form. */
export interface Inference {
  key: ApiKey;
  request: ChatRequest;
  route: Route;
  completion: Completion;
  chosen: ChosenFault | null;
  cacheRequest: CacheRequest;
  release(): void;
}

/** Finds the fault that strikes and drops the models that it makes fail, as far as others are left. */
export function takeFault(
  state: State,
  exchange: Exchange,
): { chosen: ChosenFault | null; models: string[]; failed: Attempt[] } {
  const { model, models } = (exchange.body ?? {}) as { model?: unknown; models?: unknown };
  const asked = [model, ...(Array.isArray(models) ? models : [])].filter((id): id is string => typeof id === 'string');
  const failed: Attempt[] = [];
  const header = exchange.headers['x-sim-fault'];
  for (const [at, id] of asked.entries()) {
    const chosen = state.faults.take({ route: 'chat', model: id, key: exchange.keyText, header });
    const refusal = chosen?.fault.refusal;
    const status = refusal?.status ?? 200;
    if (header !== undefined || at === asked.length - 1 || !givesWay(refusal)) {
      return { chosen, models: asked.slice(at), failed };
    }
    failed.push({ provider: 'Simulated', model: id, status });
  }
  const chosen = state.faults.take({ route: 'chat', key: exchange.keyText, header });
  return { chosen, models: [], failed };
}

function givesWay(refusal: Refusal | undefined): boolean {
  const isTooLong = refusal?.error.metadata?.['error_type'] === 'context_length_exceeded';
  return refusal !== undefined && (isTooLong || fallBackStatuses.has(refusal.status));
}

interface Asked {
  exchange: Exchange;
  request: ChatRequest | Refusal;
  chosen: ChosenFault | null;
  models: string[];
  failed: Attempt[];
}

/** All that can be refused, then the answer itself, paid for by a reservation. */
export function infer(state: State, key: ApiKey, asked: Asked): Inference | Refusal {
  const { request, chosen } = asked;
  const now = state.clock.now();
  if (key.isManagement) {
    return refuse(403, 'Management keys cannot be used for inference', { error_type: 'permission_denied' });
  }
  if (isRefusal(request)) {
    return request;
  }
  const routed = withModels(state, request, asked);
  const route = routeModel(state, routed, { account: key.account, now });
  if (isRefusal(route)) {
    return route;
  }
  const limited = checkRate(key, route.model.pricing['prompt'] === '0' && !route.writesImage, now);
  if (limited !== null) {
    return limited;
  }
  const cacheRequest = toCacheRequest(routed, route, { key, exchange: asked.exchange });
  const cache = state.promptCache.look(cacheRequest);
  const held = reserve(key, estimate(routed, route, { now, cache }), now);
  if (isRefusal(held)) {
    return held;
  }
  state.sequence += 1;
  const isByok = key.account.usesOwnProviderKey;
  const attempts = [...asked.failed, ...route.attempts];
  const made = complete(state, { request: routed, ...route, attempts, cache, isByok, now, sequence: state.sequence });
  const completion = chosen?.fault.change?.(made) ?? made;
  return { key, request: routed, route, completion, chosen, cacheRequest, release: held.release };
}

function withModels(state: State, request: ChatRequest, { chosen, models }: Asked): ChatRequest {
  const [model, ...others] = models.map((id) => (id.startsWith('sim/') && chosen ? faultModel(state) : id));
  return model === undefined ? request : { ...request, model, models: others };
}

function faultModel(state: State): string {
  const known = state.catalogue.find(FAULT_MODEL) ?? state.catalogue.list.find((model) => isPlain(model.pricing));
  return known?.id ?? FAULT_MODEL;
}

function isPlain(pricing: Record<string, unknown>): boolean {
  return typeof pricing['prompt'] === 'string' && !['0', '-1'].includes(pricing['prompt']);
}

function toCacheRequest(request: ChatRequest, route: Route, asker: { key: ApiKey; exchange: Exchange }): CacheRequest {
  return {
    userId: asker.key.account.userId,
    tag: route.endpoint.tag,
    model: route.model.canonical_slug,
    pricing: route.endpoint.pricing,
    session: request.session_id ?? asker.exchange.headers['x-session-id'],
    messages: request.messages,
  };
}

/** The worst case: as many tokens as may be written. */
function estimate(
  request: ChatRequest,
  route: Route,
  at: { now: number; cache: CacheUse },
): Parameters<typeof reserve>[1] {
  const { model, endpoint } = route;
  const now = new Date(at.now);
  const read = readPrompt(request, { ...route, cache: at.cache, at: now });
  const most = model.top_provider.max_completion_tokens ?? DEFAULT_RESERVED_TOKENS;
  const maxTokens = maxTokensOf(request) ?? Math.min(most, DEFAULT_RESERVED_TOKENS);
  const worst = priceCall(endpoint.pricing, { prompt: read.lastTokens, completion: maxTokens, image: 0 }, now);
  const picture = route.writesImage ? TOKENS_PER_PICTURE : 0;
  const drawn = priceCall(endpoint.pricing, { prompt: 0, completion: picture, image: picture }, now);
  const fixed = read.cost.plus(read.searchCost).plus(read.pagesCost).plus(drawn.completion);
  return { prompt: fixed, perToken: worst.completion.div(maxTokens), maxTokens };
}

/** Debits what was delivered, frees the reservation and keeps the generation. */
export function settle(state: State, exchange: Exchange, { sent, ...inference }: Inference & { sent: Sent }): void {
  const { key, completion, chosen, route, request } = inference;
  const now = state.clock.now();
  // A provider that cannot be stopped writes, and bills, the answer to its end.
  const isWhole = sent.isComplete || !route.endpoint.provider.isCancellable;
  const tokens = isWhole ? completion.completionTokens : sent.tokens;
  const charge = chosen?.fault.isFree === true ? new Big(0) : isWhole ? completion.charge : priceTo(inference, tokens);
  inference.release();
  debit(key, charge, now);
  if (completion.isByok) {
    noteByokSpend(key, completion.cost.total, now);
  }
  state.promptCache.remember(inference.cacheRequest);
  if (chosen?.fault.isLost) {
    return;
  }
  keepGeneration(state, {
    completion,
    key,
    chargedUsd: Number(charge.toFixed()),
    completionTokens: tokens,
    isStreamed: request.stream === true,
    isCancelled: !sent.isComplete,
    availableAt: now + state.generationDelayMs,
    headers: exchange.headers,
    sessionId: inference.cacheRequest.session ?? null,
  });
  if (key.account.keepsContent) {
    const { content, reasoning } = completion;
    const { userId } = key.account;
    state.contents.keep(completion.id, { userId, messages: request.messages, completion: content, reasoning });
  }
}

/** What an answer costs that was stopped after so many tokens; its prompt was read as a whole. */
function priceTo({ completion, route }: Inference, tokens: number): Big {
  const { charge, cost, isByok, lastPromptTokens: prompt, createdAt } = completion;
  const partial = priceCall(route.endpoint.pricing, { prompt, completion: tokens, image: 0 }, new Date(createdAt));
  const saved = cost.completion.minus(partial.completion);
  return charge.minus(isByok ? saved.times(BYOK_FEE) : saved);
}
