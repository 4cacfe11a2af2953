import { Big } from 'big.js';
import { authenticate, checkRate, debit, reserve } from './accounts.ts';
import { complete } from './completion.ts';
import type { Completion } from './completion.ts';
import { priceCall } from './cost.ts';
import type { ApiKey } from './demo-keys.ts';
import type { ChosenFault } from './fault-plan.ts';
import type { Fault } from './fault.ts';
import type { Exchange } from './exchange.ts';
import { maxTokensOf, parseChat } from './parse-chat.ts';
import type { ChatRequest } from './parse-chat.ts';
import { isRefusal, refuse } from './refusal.ts';
import type { Refusal } from './refusal.ts';
import { replyRefusal, replyText } from './reply.ts';
import type { Reply, Sent } from './reply.ts';
import { routeModel } from './route-model.ts';
import type { Route } from './route-model.ts';
import type { State } from './state.ts';
import { countPromptTokens } from './tokens.ts';
import { toChatCompletion, toFrames, toStreamParts } from './wire.ts';

/** What an account must cover when a request sets no `max_tokens`. */
const DEFAULT_RESERVED_TOKENS = 16_384;
/** The model behind `sim/<fault>`, which needs some price. */
const FAULT_MODEL = 'openai/gpt-4.1-mini';

/** `POST /chat/completions` */
export function answerChat(state: State, exchange: Exchange): Reply {
  const { body, headers } = exchange;
  const asked = (body ?? {}) as { model?: unknown };
  const chosen = state.faults.take({
    route: 'chat',
    model: typeof asked.model === 'string' ? asked.model : undefined,
    key: exchange.keyText,
    header: headers['x-sim-fault'],
  });
  const early = chosen === null ? null : answerWithFault(chosen.fault);
  if (early !== null) {
    return early;
  }
  const now = state.clock.now();
  const key = authenticate(state.keys, headers.authorization, now);
  if (isRefusal(key)) {
    return replyRefusal(key);
  }
  const prepared = prepare(state, { key, body, chosen, now });
  if (isRefusal(prepared)) {
    return replyRefusal(prepared, key.account.userId);
  }
  return prepared.request.stream ? answerStream(state, exchange, prepared) : answerJson(state, exchange, prepared);
}

/** Faults that need no work at all. */
export function answerWithFault(fault: Fault): Reply | null {
  if (fault.refusal) {
    return replyRefusal(fault.refusal);
  }
  if (fault.page) {
    return replyText(fault.page.html, { status: fault.page.status, contentType: 'text/html; charset=utf-8' });
  }
  return fault.connection ? { kind: 'connection', how: fault.connection } : null;
}

interface Asked {
  key: ApiKey;
  body: unknown;
  chosen: ChosenFault | null;
  now: number;
}

interface Prepared {
  key: ApiKey;
  request: ChatRequest;
  route: Route;
  completion: Completion;
  chosen: ChosenFault | null;
  release(): void;
}

/** All that can be refused, then the answer itself, paid for by a reservation. */
function prepare(state: State, { key, body, chosen, now }: Asked): Prepared | Refusal {
  if (key.isManagement) {
    return refuse(403, 'Management keys cannot be used for inference', { error_type: 'permission_denied' });
  }
  const request = parseChat(body);
  if (isRefusal(request)) {
    return request;
  }
  const routed = request.model?.startsWith('sim/') && chosen ? { ...request, model: faultModel(state) } : request;
  const route = routeModel(state.catalogue, routed, now);
  if (isRefusal(route)) {
    return route;
  }
  const limited = checkRate(key, route.model.pricing['prompt'] === '0' && !route.writesImage, now);
  if (limited !== null) {
    return limited;
  }
  const held = reserve(key, estimate(routed, route, now), now);
  if (isRefusal(held)) {
    return held;
  }
  state.sequence += 1;
  const made = complete(state, { request: routed, ...route, now, sequence: state.sequence });
  const completion = chosen?.fault.change?.(made) ?? made;
  return { key, request: routed, route, completion, chosen, release: held.release };
}

function faultModel(state: State): string {
  const known = state.catalogue.find(FAULT_MODEL) ?? state.catalogue.list.find((model) => isPlain(model.pricing));
  return known?.id ?? FAULT_MODEL;
}

function isPlain(pricing: Record<string, unknown>): boolean {
  return typeof pricing['prompt'] === 'string' && !['0', '-1'].includes(pricing['prompt']);
}

function estimate(request: ChatRequest, { model, endpoint }: Route, now: number): Parameters<typeof reserve>[1] {
  const prompt = countPromptTokens(request.messages);
  const most = model.top_provider.max_completion_tokens ?? DEFAULT_RESERVED_TOKENS;
  const maxTokens = maxTokensOf(request) ?? Math.min(most, DEFAULT_RESERVED_TOKENS);
  const worst = priceCall(endpoint.pricing, { prompt, completion: maxTokens, image: 0 }, new Date(now));
  return { prompt: worst.prompt, perToken: worst.completion.div(maxTokens), maxTokens };
}

function answerJson(state: State, exchange: Exchange, prepared: Prepared): Reply {
  const { completion, chosen } = prepared;
  const isStreamOnly = chosen?.fault.frames !== undefined && chosen.fault.body === undefined;
  if (isStreamOnly) {
    prepared.release();
    return replyRefusal(refuse(502, 'Provider returned error', { error_type: 'provider_unavailable' }));
  }
  settle(state, exchange, { ...prepared, sent: { tokens: completion.completionTokens, isComplete: true } });
  const text = JSON.stringify(toChatCompletion(completion));
  const { firstTokenMs, tokensPerSecond } = state.latency;
  const writingMs = tokensPerSecond > 0 ? (completion.completionTokens * 1_000) / tokensPerSecond : 0;
  const changed = chosen?.fault.body?.(text);
  return replyText(changed?.text ?? text, {
    headers: { 'x-generation-id': completion.id, 'x-provider-name': completion.provider },
    delayMs: firstTokenMs + writingMs,
    cut: changed?.cut ?? false,
  });
}

function answerStream(state: State, exchange: Exchange, prepared: Prepared): Reply {
  const { completion, chosen } = prepared;
  const parts = toStreamParts(completion);
  return {
    kind: 'stream',
    frames: chosen?.fault.frames?.(parts, chosen.after) ?? toFrames(parts),
    headers: { 'x-generation-id': completion.id, 'x-provider-name': completion.provider },
    settle: (sent) => settle(state, exchange, { ...prepared, sent }),
  };
}

/** Debits what was delivered, frees the reservation and stores the generation. */
function settle(state: State, exchange: Exchange, { sent, ...prepared }: Prepared & { sent: Sent }): void {
  const { key, completion, chosen, route } = prepared;
  const now = state.clock.now();
  const isFree = chosen?.fault.isFree === true;
  const tokens = sent.isComplete ? completion.completionTokens : sent.tokens;
  const partial = priceCall(
    route.endpoint.pricing,
    { prompt: completion.promptTokens, completion: tokens, image: 0 },
    new Date(completion.createdAt),
  );
  const charge = isFree ? new Big(0) : sent.isComplete ? completion.charge : partial.total;
  prepared.release();
  debit(key, charge, now);
  if (chosen?.fault.isLost) {
    return;
  }
  storeGeneration(state, {
    completion,
    key,
    chargedUsd: Number(charge.toFixed()),
    completionTokens: tokens,
    isStreamed: prepared.request.stream === true,
    isCancelled: !sent.isComplete,
    availableAt: now + state.generationDelayMs,
    headers: exchange.headers,
  });
}

const MAX_GENERATIONS = 5_000;

function storeGeneration(state: State, generation: Parameters<typeof state.generations.set>[1]): void {
  // Without its pictures: they are large, and GET /generation does not return them.
  const completion = { ...generation.completion, images: [] };
  state.generations.set(completion.id, { ...generation, completion });
  const [oldest] = state.generations.keys();
  if (state.generations.size > MAX_GENERATIONS && oldest !== undefined) {
    state.generations.delete(oldest);
  }
}
