import { toUsd } from './cost.ts';
import type { Completion, ToolCall } from './completion.ts';
import { shareTokens, splitText } from './split-text.ts';
import { toCitations } from './web-search.ts';

/** One event (or comment) of a stream, ready to send. */
export interface Frame {
  text: string;
  /** Completion tokens that this frame carries: what is billed when the client leaves. */
  tokens: number;
  /** The account is debited before this frame is sent. */
  isSettling?: boolean;
  /** Instead of an event: drop the connection, or keep it open and silent. */
  end?: 'cut' | 'hang';
  /** Waits so long before it is sent. */
  pauseMs?: number;
}

export const COMMENT = ': OPENROUTER PROCESSING\n\n';
const BYTES_PER_SOUND = 32_000;
const PLACE = '\u0001';

const nativeReasons: Record<string, string> = {
  tool_calls: 'tool_calls',
  length: 'length',
  content_filter: 'content_filter',
};

export function toNativeReason(finishReason: string | null): string | null {
  return finishReason === null ? null : (nativeReasons[finishReason] ?? finishReason);
}

/** The JSON answer, keys in the order of the wire. */
export function toChatCompletion(completion: Completion, options: WireOptions = {}): Record<string, unknown> {
  const { content, reasoning, images, toolCalls } = completion;
  return {
    id: completion.id,
    object: 'chat.completion',
    created: Math.floor(completion.createdAt / 1_000),
    model: completion.model,
    provider: completion.provider,
    service_tier: null,
    system_fingerprint: null,
    choices: [
      {
        index: 0,
        logprobs: null,
        finish_reason: completion.finishReason,
        native_finish_reason: toNativeReason(completion.finishReason),
        message: {
          role: 'assistant',
          content,
          refusal: null,
          reasoning,
          ...(reasoning === null ? {} : { reasoning_details: [toReasoningDetail(reasoning)] }),
          ...(toolCalls.length > 0 ? { tool_calls: toolCalls.map(toToolCallJson) } : {}),
          ...(completion.webSearches > 0 ? { annotations: toCitations(completion.webSearches) } : {}),
          ...(images.length > 0 ? { images: images.map(toImageJson) } : {}),
        },
        ...(completion.error ? { error: completion.error } : {}),
      },
    ],
    ...(completion.hasUsage ? { usage: toUsage(completion) } : {}),
    ...(options.metadata ? { openrouter_metadata: options.metadata } : {}),
  };
}

function toUsage(completion: Completion): Record<string, unknown> {
  const { cost, promptTokens, completionTokens } = completion;
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    ...(completion.hasCost ? { cost: toUsd(completion.charge), is_byok: completion.isByok } : {}),
    prompt_tokens_details: {
      cached_tokens: completion.cachedTokens,
      cache_write_tokens: completion.cacheWriteTokens,
      audio_tokens: completion.promptAudioTokens,
      video_tokens: completion.promptVideoTokens,
    },
    cost_details: {
      upstream_inference_cost: completion.hasCost ? toUsd(cost.total) : null,
      upstream_inference_prompt_cost: toUsd(cost.prompt),
      upstream_inference_completions_cost: toUsd(cost.completion),
      ...(completion.webSearches > 0 ? { server_tool_cost: toUsd(completion.searchCost) } : {}),
    },
    completion_tokens_details: {
      reasoning_tokens: completion.reasoningTokens,
      image_tokens: completion.imageTokens,
      audio_tokens: completion.audioTokens,
    },
    ...(completion.webSearches > 0 ? { server_tool_use_details: { web_search_requests: completion.webSearches } } : {}),
  };
}

/** The parts of a stream, so that a fault can leave out or replace any of them. */
export interface StreamParts {
  opening: Frame;
  content: Frame[];
  finish: Frame;
  usage: Frame;
  done: Frame;
  /** `usage`, where it is told. */
  usageFields: Record<string, unknown>;
  /** Another event of this stream. */
  event(fields: Record<string, unknown>): Frame;
  choice(delta: Record<string, unknown>, finishReason: string | null): Record<string, unknown>;
}

export interface WireOptions {
  /** `openrouter_metadata`, where it was asked for. */
  metadata?: Record<string, unknown> | undefined;
  usageChunkChoices?: 'repeat' | 'empty';
}

export function toStreamParts(completion: Completion, options: WireOptions = {}): StreamParts {
  const head = {
    id: completion.id,
    object: 'chat.completion.chunk',
    created: Math.floor(completion.createdAt / 1_000),
    model: completion.model,
    provider: completion.provider,
  };
  const event = (fields: Record<string, unknown>): Frame => ({
    text: `data: ${JSON.stringify({ ...head, ...fields })}\n\n`,
    tokens: 0,
  });
  const choice = (delta: Record<string, unknown>, finishReason: string | null): Record<string, unknown> => ({
    index: 0,
    delta: { content: '', role: 'assistant', ...delta },
    finish_reason: finishReason,
    native_finish_reason: toNativeReason(finishReason),
    logprobs: null,
  });
  // All text events differ in one place only.
  const [before = '', after = ''] = event({ choices: [choice({ content: PLACE }, null)] }).text.split(
    JSON.stringify(PLACE),
  );
  const last = [choice({}, completion.finishReason)];
  const usage = completion.hasUsage ? { usage: toUsage(completion) } : {};
  const metadata = options.metadata ? { openrouter_metadata: options.metadata } : {};
  return {
    opening: { text: COMMENT, tokens: 0 },
    content: toDeltas(completion).map(({ delta, tokens }) =>
      typeof delta === 'string'
        ? { text: `${before}${JSON.stringify(delta)}${after}`, tokens }
        : { ...event({ choices: [choice(delta, null)] }), tokens },
    ),
    finish: event({ ...(completion.error ? { error: completion.error } : {}), choices: last }),
    usage: {
      ...event({
        choices: options.usageChunkChoices === 'empty' ? [] : last,
        service_tier: null,
        ...usage,
        ...metadata,
      }),
      isSettling: true,
    },
    done: { text: 'data: [DONE]\n\n', tokens: 0 },
    usageFields: usage,
    event,
    choice,
  };
}

/** A comment also stands in the middle, as on the wire: a parser must not take it for an event or for progress. */
export function toFrames(parts: StreamParts): Frame[] {
  const middle = Math.ceil(parts.content.length / 2);
  return [
    parts.opening,
    ...parts.content.slice(0, middle),
    ...(parts.content.length > 1 ? [parts.opening] : []),
    ...parts.content.slice(middle),
    parts.finish,
    parts.usage,
    parts.done,
  ];
}

/** Joins what needs no pause in between: fewer writes for the same bytes. */
export function joinFrames(frames: readonly Frame[]): Frame[] {
  const joined: Frame[] = [];
  for (const frame of frames) {
    const last = joined.at(-1);
    if (last === undefined || last.end !== undefined || frame.end !== undefined || frame.isSettling) {
      joined.push({ ...frame });
    } else {
      last.text += frame.text;
      last.tokens += frame.tokens;
    }
  }
  return joined;
}

interface Delta {
  /** Text of the answer, or any other kind of delta. */
  delta: string | Record<string, unknown>;
  tokens: number;
}

function toDeltas(completion: Completion): Delta[] {
  const { reasoning, images, toolCalls } = completion;
  const pieces = completion.audio ? [] : splitText(completion.content ?? '');
  const textTokens = completion.completionTokens - completion.reasoningTokens - completion.imageTokens;
  return [
    ...(reasoning === null ? [] : [toReasoningDelta(reasoning, completion.reasoningTokens)]),
    ...pieces.map((delta, at) => ({ delta, tokens: shareTokens(textTokens, at, pieces.length) })),
    ...(completion.webSearches > 0 ? [{ delta: { annotations: toCitations(completion.webSearches) }, tokens: 0 }] : []),
    ...toolCalls.flatMap((call) => toToolCallDeltas(call, completion.toolCallPieceLength, textTokens)),
    ...(completion.audio ? toSoundDeltas(completion.audio, completion.content ?? '', textTokens) : []),
    ...images.map((url, index) => ({
      delta: { images: [{ ...toImageJson(url), index }] },
      tokens: completion.imageTokens,
    })),
  ];
}

/** The name comes first, then the arguments in pieces. */
function toToolCallDeltas(call: ToolCall, pieceLength: number, tokens: number): Delta[] {
  const pieces = splitText(call.arguments, pieceLength);
  const first = { delta: { tool_calls: [{ index: 0, ...toToolCallJson({ ...call, arguments: '' }) }] }, tokens: 0 };
  return [
    first,
    ...pieces.map((piece, at) => ({
      delta: { tool_calls: [{ index: 0, type: 'function', function: { arguments: piece } }] },
      tokens: shareTokens(tokens, at, pieces.length),
    })),
  ];
}

/** Sound in pieces, each encoded by itself; the transcript with the first. */
function toSoundDeltas(samples: Buffer, transcript: string, tokens: number): Delta[] {
  const pieces = Array.from({ length: Math.ceil(samples.length / BYTES_PER_SOUND) }, (_, at) =>
    samples.subarray(at * BYTES_PER_SOUND, (at + 1) * BYTES_PER_SOUND).toString('base64'),
  );
  return pieces.map((data, at) => ({
    delta: { audio: { id: 'audio_0', data, ...(at === 0 ? { transcript } : {}) } },
    tokens: shareTokens(tokens, at, pieces.length),
  }));
}

function toReasoningDelta(reasoning: string, tokens: number): Delta {
  return { delta: { reasoning, reasoning_details: [toReasoningDetail(reasoning)] }, tokens };
}

function toReasoningDetail(text: string): Record<string, unknown> {
  return { type: 'reasoning.text', text, format: 'unknown', index: 0 };
}

function toToolCallJson(call: ToolCall): Record<string, unknown> {
  return { id: call.id, type: 'function', function: { name: call.name, arguments: call.arguments } };
}

function toImageJson(url: string): Record<string, unknown> {
  return { type: 'image_url', image_url: { url } };
}
