import { Big } from 'big.js';
import { canonicalJson, sha256Hex } from '#kit/index.ts';
import { authenticate, checkRate, debit, reserve } from '../accounts.ts';
import type { CatalogueModel } from '../catalogue.ts';
import { answerWithFault } from '../answer-inference.ts';
import { freeOfCharge } from '../cost.ts';
import type { Exchange } from '../exchange.ts';
import { keepGeneration } from '../find-generation.ts';
import { listEndpoints } from '../list-endpoints.ts';
import { isRefusal, refuse } from '../refusal.ts';
import type { Refusal } from '../refusal.ts';
import { replyRefusal } from '../reply.ts';
import type { Reply } from '../reply.ts';
import { openRandom } from '../seeded-random.ts';
import type { State } from '../state.ts';
import type { Work } from './work.ts';

export interface WorkKind {
  modelId: string;
  output: string;
  apiType: string;
  /** What the answer is made of: equal requests have equal answers. */
  request: unknown;
  /** Whatever else stands against it. */
  check?(model: CatalogueModel): Refusal | null;
  /** Who does it; unless told, the first of the model's providers. */
  providerOf?(model: CatalogueModel): string | undefined;
  /** USD; the account must have as much. */
  price(model: CatalogueModel): Big;
  make(work: Work, cost: Big): Reply;
}

/** All that can be refused, then the work, which `make` does and settles; or a reply that is no success. */
export function doWork(state: State, exchange: Exchange, kind: WorkKind): Reply {
  const begun = begin(state, exchange, kind);
  if ('status' in begun && 'error' in begun) {
    return replyRefusal(begun);
  }
  if ('kind' in begun) {
    return begun;
  }
  const cost = kind.price(begun.model);
  const held = reserve(begun.key, { prompt: cost, perToken: new Big(0), maxTokens: 1 }, begun.now);
  if (isRefusal(held)) {
    return replyRefusal(held, begun.key.account.userId);
  }
  held.release();
  return kind.make(begun, cost);
}

function begin(state: State, { headers, keyText }: Exchange, kind: Omit<WorkKind, 'make'>): Work | Reply | Refusal {
  const { modelId: model, output } = kind;
  const chosen = state.faults.take({ route: 'media', model, key: keyText, header: headers['x-sim-fault'] });
  const early = chosen === null ? null : answerWithFault(chosen.fault);
  if (early !== null) {
    return early;
  }
  const now = state.clock.now();
  const key = authenticate(state.keys, headers['authorization'], now);
  if (isRefusal(key)) {
    return key;
  }
  if (key.isManagement) {
    return refuse(403, 'Management keys cannot be used for inference', { error_type: 'permission_denied' });
  }
  const found = state.catalogue.find(model);
  if (found === null) {
    return refuse(400, `${model.slice(0, 100)} is not a valid model ID`, { error_type: 'invalid_request' });
  }
  if (!found.architecture.output_modalities.includes(output)) {
    return refuse(404, `No endpoints found that support the requested output modalities: ${output}`, {
      error_type: 'not_found',
      failed_routing_step: 'Filter by Model Output Modalities',
    });
  }
  const refused = kind.check?.(found) ?? null;
  if (refused !== null) {
    return refused;
  }
  const limited = checkRate(key, false, now);
  if (limited !== null) {
    return limited;
  }
  state.sequence += 1;
  const seed = sha256Hex(`${state.seed}\n${found.canonical_slug}\n${canonicalJson(kind.request)}`);
  const id = `gen-${Math.floor(now / 1_000)}-${openRandom(seed, String(state.sequence), 'id').base62(20)}`;
  const provider = kind.providerOf?.(found) ?? listEndpoints(found)[0]?.providerName ?? 'Simulated';
  return { key, model: found, provider, seed, id, now, chosen };
}

interface Done {
  cost: Big;
  apiType: string;
  promptTokens: number;
  /** Of the request. */
  headers: Record<string, string>;
}

/** Takes the cost from account and key, and keeps it for `GET /generation`. @returns the headers of the answer. */
export function settleWork(state: State, work: Work, done: Done): Record<string, string> {
  const { key, model, provider, id, now } = work;
  debit(key, done.cost, now);
  keepGeneration(state, {
    completion: {
      id,
      createdAt: now,
      model: model.canonical_slug,
      provider,
      content: null,
      reasoning: null,
      images: [],
      audio: null,
      toolCalls: [],
      finishReason: null,
      error: null,
      promptTokens: done.promptTokens,
      completionTokens: 0,
      reasoningTokens: 0,
      imageTokens: 0,
      cachedTokens: 0,
      cacheWriteTokens: 0,
      promptAudioTokens: 0,
      promptVideoTokens: 0,
      audioTokens: 0,
      webSearches: 0,
      cost: { ...freeOfCharge, prompt: done.cost, total: done.cost },
      searchCost: new Big(0),
      lastPromptTokens: done.promptTokens,
      charge: done.cost,
      isByok: false,
      hasUsage: true,
      hasCost: true,
      toolCallPieceLength: 12,
      attempts: [],
    },
    key,
    chargedUsd: Number(done.cost.toFixed()),
    completionTokens: 0,
    isStreamed: false,
    isCancelled: false,
    availableAt: now + state.generationDelayMs,
    headers: done.headers,
    sessionId: null,
    apiType: done.apiType,
  });
  return { 'x-generation-id': id, 'x-provider-name': provider };
}

/** A decimal price of the catalogue; absent and unknown ones cost nothing. */
export function priceOf({ pricing }: CatalogueModel, key: string): Big {
  const value = pricing[key];
  return typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? new Big(value) : new Big(0);
}

/** Another `invalid_request`, in the words that the real one uses. */
export function refuseInput(path: string, message: string): Reply {
  return replyRefusal(refuse(400, `Invalid input: ${path}: ${message}`, { error_type: 'invalid_request' }));
}
