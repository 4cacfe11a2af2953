import type { Big } from 'big.js';
import { canonicalJson, sha256Hex } from '#kit/index.ts';
import type { CatalogueModel } from './catalogue.ts';
import { priceCall } from './cost.ts';
import type { Cost } from './cost.ts';
import type { Attempt } from './choose-endpoint.ts';
import type { Endpoint } from './list-endpoints.ts';
import { maxTokensOf, textOf } from './parse-chat.ts';
import type { ChatRequest } from './parse-chat.ts';
import { drawSamples, toSeconds } from './media/sound.ts';
import { drawPicture } from './picture.ts';
import { composeJson } from './schema-text.ts';
import { openRandom } from './seeded-random.ts';
import type { SeededRandom } from './seeded-random.ts';
import { composeText, findKeywords, SIMULATED_MARK } from './text.ts';
import { readPrompt } from './read-prompt.ts';
import { countTokens } from './tokens.ts';
import type { CacheUse } from './prompt-cache.ts';

export interface ToolCall {
  id: string;
  name: string;
  arguments: string;
}

/** What one request produced, before it takes the form of JSON or of a stream. */
export interface Completion {
  id: string;
  createdAt: number;
  model: string;
  provider: string;
  content: string | null;
  reasoning: string | null;
  images: string[];
  /** Raw samples, where the answer is spoken; its text is the transcript then. */
  audio: Buffer | null;
  toolCalls: ToolCall[];
  finishReason: string | null;
  error: { code: number | string; message: string; metadata?: Record<string, unknown> } | null;
  promptTokens: number;
  completionTokens: number;
  reasoningTokens: number;
  imageTokens: number;
  cachedTokens: number;
  cacheWriteTokens: number;
  promptAudioTokens: number;
  promptVideoTokens: number;
  audioTokens: number;
  webSearches: number;
  /** Of the tokens. */
  cost: Cost;
  searchCost: Big;
  /** What the tier of prices goes by, beside the hour. */
  lastPromptTokens: number;
  /** What the account pays; differs from `cost` with the user's own provider key (BYOK). */
  charge: Big;
  isByok: boolean;
  hasUsage: boolean;
  /** Whether usage says what the call cost. */
  hasCost: boolean;
  /** Characters of arguments in one event of a stream. */
  toolCallPieceLength: number;
  /** Who was asked, for the metadata of routing. */
  attempts: Attempt[];
}

export interface CompletionInput {
  request: ChatRequest;
  model: CatalogueModel;
  endpoint: Endpoint;
  writesImage: boolean;
  isOnline: boolean;
  attempts: Attempt[];
  cache: CacheUse;
  /** The provider bills the user, OpenRouter only its fee. */
  isByok: boolean;
  isSpoken: boolean;
  now: number;
  /** Distinguishes the ids of equal requests. */
  sequence: number;
}

/** A function of seed, model, messages and parameters; only the id also depends on clock and sequence. */
export function complete(deps: { seed: string }, input: CompletionInput): Completion {
  const { request, model, endpoint, now } = input;
  const seed = sha256Hex(`${deps.seed}\n${model.canonical_slug}\n${canonicalJson(deterministicPart(request))}`);
  const words = findKeywords(promptOf(request));
  const written = write(request, { seed, model, words, writesImage: input.writesImage });
  const picture = input.writesImage ? drawPicture(toPictureRequest(request, seed)) : null;
  const at = new Date(now);
  const read = readPrompt(request, { ...input, at });
  const imageTokens = picture?.tokens ?? 0;
  const completionTokens = written.contentTokens + written.reasoningTokens + imageTokens;
  const audioTokens = input.isSpoken ? written.contentTokens : 0;
  const { cached, written: cacheWrite } = input.cache;
  const parts = { image: imageTokens, audio: audioTokens, reasoning: written.reasoningTokens };
  const tokens = { prompt: read.lastTokens, completion: completionTokens, ...parts };
  const { completion } = priceCall(endpoint.pricing, tokens, at);
  const cost = { prompt: read.cost, completion, total: read.cost.plus(completion) };
  const createdSeconds = Math.floor(now / 1_000);
  return {
    id: `gen-${createdSeconds}-${openRandom(seed, String(input.sequence), 'id').base62(20)}`,
    createdAt: now,
    model: model.canonical_slug,
    provider: endpoint.providerName,
    content: written.content,
    reasoning: written.reasoning,
    images: picture ? [picture.dataUrl] : [],
    audio: input.isSpoken ? drawSamples(seed, toSeconds(written.content ?? '')) : null,
    toolCalls: written.toolCalls,
    finishReason: written.finishReason,
    error: null,
    promptTokens: read.tokens.total,
    completionTokens,
    reasoningTokens: written.reasoningTokens,
    imageTokens,
    cachedTokens: cached,
    cacheWriteTokens: cacheWrite,
    promptAudioTokens: read.tokens.audio,
    promptVideoTokens: read.tokens.video,
    audioTokens,
    webSearches: read.webSearches,
    cost,
    searchCost: read.searchCost,
    lastPromptTokens: read.lastTokens,
    charge: (input.isByok ? cost.total.times(BYOK_FEE) : cost.total).plus(read.searchCost).plus(read.pagesCost),
    isByok: input.isByok,
    hasUsage: true,
    hasCost: true,
    toolCallPieceLength: 12,
    attempts: input.attempts,
  };
}

/** Share of the list price that OpenRouter takes from users who bring their own provider key. */
export const BYOK_FEE = '0.05';

/** What the answer is about: the last thing that the user said, else the instructions. */
function promptOf(request: ChatRequest): string {
  const said = textOf(request.messages.findLast((message) => message.role === 'user'));
  return said.trim() === '' ? request.messages.map(textOf).join('\n') : said;
}

/** The request without what says how the answer is sent and who asks: that must not change the answer. */
function deterministicPart(request: ChatRequest): Record<string, unknown> {
  const {
    stream: _stream,
    stream_options: _options,
    user: _user,
    usage: _usage,
    session_id: _session,
    ...rest
  } = request;
  return { ...rest, model: undefined, models: undefined };
}

function toPictureRequest({ image_config: config }: ChatRequest, seed: string) {
  return { seed, aspectRatio: config?.aspect_ratio, imageSize: config?.image_size };
}

interface Written {
  content: string | null;
  contentTokens: number;
  reasoning: string | null;
  reasoningTokens: number;
  toolCalls: ToolCall[];
  finishReason: string;
}

interface Subject {
  seed: string;
  model: CatalogueModel;
  words: string[];
  writesImage: boolean;
}

function write(request: ChatRequest, subject: Subject): Written {
  const random = openRandom(subject.seed, 'length');
  const length = random.integer(40, 400);
  const limit = maxTokensOf(request) ?? subject.model.top_provider.max_completion_tokens ?? Number.MAX_SAFE_INTEGER;
  const reasoningTokens = Math.min(countReasoning(request, subject.model, random), limit);
  const isShown = reasoningTokens > 0 && request.reasoning?.exclude !== true;
  const base = {
    reasoning: isShown
      ? `${SIMULATED_MARK} Weighing ${subject.words.join(', ') || 'the question'} before answering.`
      : null,
    reasoningTokens,
    toolCalls: [],
  };
  if (!subject.model.architecture.output_modalities.includes('text')) {
    return { ...base, content: '', contentTokens: 0, finishReason: 'stop' };
  }
  const call = composeToolCall(request, subject);
  if (call !== null) {
    const contentTokens = countTokens(call.name + call.arguments);
    return { ...base, content: null, contentTokens, toolCalls: [call], finishReason: 'tool_calls' };
  }
  const budget = limit - reasoningTokens;
  const text = cutAtStop(composeContent(request, subject, Math.min(length, budget)), request.stop);
  const { content, isCut } = cutToTokens(text, budget);
  return { ...base, content, contentTokens: countTokens(content), finishReason: isCut ? 'length' : 'stop' };
}

const effortFactors = { max: 4, xhigh: 3, high: 2, medium: 1, low: 0.5, minimal: 0.2, none: 0 };

function countReasoning(request: ChatRequest, model: CatalogueModel, random: SeededRandom): number {
  const wanted = random.integer(32, 192);
  if (!model.reasoning) {
    return 0;
  }
  const asked = request.reasoning;
  const effort = asked?.effort ?? request.reasoning_effort ?? null;
  const isAsked = effort !== null || asked?.enabled === true || (asked?.max_tokens ?? 0) > 0;
  const isOff = effort === 'none' || asked?.enabled === false || (!isAsked && !model.reasoning.mandatory);
  if (isOff && !model.reasoning.mandatory) {
    return 0;
  }
  const factor = effort === null || effort === 'none' ? 1 : effortFactors[effort];
  return Math.min(Math.ceil(wanted * factor), asked?.max_tokens || Number.MAX_SAFE_INTEGER);
}

function composeContent(request: ChatRequest, subject: Subject, tokens: number): string {
  const format = request.response_format;
  if (format?.type === 'json_schema') {
    return JSON.stringify(composeJson(format.json_schema?.schema, subject.seed, subject.words));
  }
  if (format?.type === 'json_object') {
    return JSON.stringify({
      simulated: true,
      summary: `simulated ${subject.words[0] ?? 'answer'}`,
      topics: subject.words,
    });
  }
  if (subject.writesImage) {
    return `${SIMULATED_MARK} Here is a picture${subject.words[0] ? ` of ${subject.words[0]}` : ''}.`;
  }
  const task = request.messages.map(textOf).join('\n');
  return composeText({ seed: subject.seed, task, words: subject.words, tokens });
}

function composeToolCall(request: ChatRequest, { seed, words }: Subject): ToolCall | null {
  const choice = request.tool_choice;
  const named =
    typeof choice === 'object' && choice !== null ? (choice['function'] as { name?: string })?.name : undefined;
  const tool = request.tools?.find(({ function: definition }) =>
    named === undefined ? definition !== undefined : definition?.name === named,
  )?.function;
  if (tool === undefined || (choice !== 'required' && named === undefined)) {
    return null;
  }
  return {
    id: `call_${openRandom(seed, 'call').base62(24)}`,
    name: tool.name,
    arguments: JSON.stringify(composeJson(tool.parameters ?? { type: 'object' }, seed, words)),
  };
}

function cutAtStop(text: string, stop: ChatRequest['stop']): string {
  const stops = typeof stop === 'string' ? [stop] : (stop ?? []);
  const places = stops.map((word) => (word === '' ? -1 : text.indexOf(word))).filter((at) => at >= 0);
  return places.length > 0 ? text.slice(0, Math.min(...places)) : text;
}

/** Cuts at a whole character, so that no half of a surrogate pair is left. */
function cutToTokens(text: string, tokens: number): { content: string; isCut: boolean } {
  if (countTokens(text) <= tokens) {
    return { content: text, isCut: false };
  }
  let content = '';
  let bytes = 0;
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > tokens * 4) {
      break;
    }
    content += character;
  }
  return { content, isCut: true };
}
