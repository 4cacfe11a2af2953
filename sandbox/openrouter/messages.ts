import { z } from 'zod';
import { answerInference } from './answer-inference.ts';
import type { AnswerOptions, Dialect } from './answer-inference.ts';
import type { Completion } from './completion.ts';
import { toUsd } from './cost.ts';
import type { Exchange } from './exchange.ts';
import { parseChat } from './parse-chat.ts';
import type { ChatRequest } from './parse-chat.ts';
import { refuse } from './refusal.ts';
import type { Refusal } from './refusal.ts';
import { replyText } from './reply.ts';
import type { Reply } from './reply.ts';
import { shareTokens, splitText } from './split-text.ts';
import type { State } from './state.ts';
import type { Frame } from './wire.ts';

const dialect: Dialect = { parse: parseMessages, toJson: toMessage, toFrames, refuse: replyError };

/** `POST /messages`: the same answers in the form of Anthropic's API. */
export function answerMessages(state: State, exchange: Exchange): Reply | Promise<Reply> {
  return answerInference(state, exchange, dialect);
}

type Json = Record<string, unknown>;

const messagesSchema = z.looseObject({
  messages: z.array(z.looseObject({ role: z.enum(['user', 'assistant']), content: z.unknown() })).min(1),
  system: z.union([z.string(), z.array(z.looseObject({ type: z.string() }))]).nullish(),
  max_tokens: z.number().int().positive(),
  tools: z.array(z.looseObject({ name: z.string(), input_schema: z.unknown() })).nullish(),
  tool_choice: z.looseObject({ type: z.string(), name: z.string().optional() }).nullish(),
  stop_sequences: z.array(z.string()).nullish(),
  thinking: z.looseObject({ type: z.string(), budget_tokens: z.number().int().optional() }).nullish(),
});

function parseMessages(body: unknown): ChatRequest | Refusal {
  const parsed = messagesSchema.safeParse(body);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const message = `${issue?.path.join('.') || 'body'}: ${issue?.message ?? 'not valid'}`;
    return refuse(400, message, { error_type: 'invalid_request' });
  }
  const { messages, system, tools, tool_choice: choice, stop_sequences: stop, thinking, ...rest } = parsed.data;
  return parseChat({
    ...rest,
    messages: [...(system ? [{ role: 'system', content: system }] : []), ...messages],
    tools: tools?.map(({ name, input_schema: parameters }) => ({ type: 'function', function: { name, parameters } })),
    tool_choice: toChoice(choice),
    stop,
    reasoning: thinking?.type === 'enabled' ? { max_tokens: thinking.budget_tokens } : undefined,
  });
}

function toChoice(choice: { type: string; name?: string | undefined } | null | undefined): unknown {
  return choice?.type === 'tool'
    ? { type: 'function', function: { name: choice.name } }
    : choice?.type === 'any'
      ? 'required'
      : undefined;
}

const stopReasons: Record<string, string> = {
  stop: 'end_turn',
  length: 'max_tokens',
  tool_calls: 'tool_use',
  content_filter: 'refusal',
};

function toMessage(completion: Completion, options: AnswerOptions): Json {
  return {
    ...toHead(completion),
    content: listBlocks(completion),
    stop_reason: stopReasons[completion.finishReason ?? ''] ?? null,
    usage: toUsage(completion),
    ...(options.metadata ? { openrouter_metadata: options.metadata } : {}),
  };
}

function toHead({ id, model, provider }: Completion): Json {
  return {
    id,
    type: 'message',
    role: 'assistant',
    container: null,
    content: [],
    model,
    stop_reason: null,
    stop_details: null,
    stop_sequence: null,
    provider,
  };
}

function listBlocks({ reasoning, content, toolCalls }: Completion): Json[] {
  return [
    ...(reasoning === null ? [] : [{ type: 'thinking', thinking: reasoning, signature: '' }]),
    ...(content ? [{ type: 'text', text: content, citations: null }] : []),
    ...toolCalls.map((call) => ({
      type: 'tool_use',
      id: call.id,
      caller: { type: 'direct' },
      name: call.name,
      input: JSON.parse(call.arguments) as unknown,
    })),
  ];
}

function toTokens(completion: Completion, outputTokens: number): Json {
  return {
    input_tokens: completion.promptTokens - completion.cachedTokens - completion.cacheWriteTokens,
    output_tokens: outputTokens,
    output_tokens_details: null,
    cache_creation_input_tokens: completion.cacheWriteTokens,
    cache_read_input_tokens: completion.cachedTokens,
    cache_creation: null,
    server_tool_use: null,
  };
}

function toUsage(completion: Completion, outputTokens = completion.completionTokens): Json {
  return {
    ...toTokens(completion, outputTokens),
    inference_geo: null,
    service_tier: 'standard',
    ...(completion.hasCost ? { cost: toUsd(completion.charge), is_byok: completion.isByok } : {}),
  };
}

function toFrames(completion: Completion, { chosen }: Parameters<Dialect['toFrames']>[1]): Frame[] {
  const breaks = chosen?.fault.frames !== undefined || completion.error !== null;
  const start = toEvent({ type: 'message_start', message: { ...toHead(completion), usage: toUsage(completion, 0) } });
  const blocks = listBlocks(completion).flatMap((block, index) => toBlockFrames(block, index, completion));
  if (breaks) {
    const error = { type: 'api_error', message: 'Provider returned error', error_type: 'provider_unavailable' };
    return [start, ...blocks.slice(0, (chosen?.after ?? 0) + 1), toEvent({ type: 'error', error })];
  }
  const reason = stopReasons[completion.finishReason ?? ''] ?? null;
  const delta = { container: null, stop_details: null, stop_reason: reason, stop_sequence: null };
  const usage = { ...toTokens(completion, completion.completionTokens), ...costOf(completion) };
  const end = { ...toEvent({ type: 'message_delta', delta, usage }), isSettling: true };
  return [start, toEvent({ type: 'ping' }), ...blocks, end, toEvent({ type: 'message_stop' })];
}

function costOf(completion: Completion): Json {
  return completion.hasCost ? { cost: toUsd(completion.charge) } : {};
}

function toBlockFrames(block: Json, index: number, completion: Completion): Frame[] {
  const { completionTokens, reasoningTokens } = completion;
  const isThinking = block['type'] === 'thinking';
  const tokens = isThinking ? reasoningTokens : completionTokens - reasoningTokens;
  const text = isThinking ? block['thinking'] : (block['text'] ?? JSON.stringify(block['input']));
  const pieces = splitText(String(text));
  const empty = block['type'] === 'tool_use' ? { input: {} } : isThinking ? { thinking: '' } : { text: '' };
  return [
    toEvent({ type: 'content_block_start', index, content_block: { ...block, ...empty } }),
    ...pieces.map((piece, at) => ({
      ...toEvent({ type: 'content_block_delta', index, delta: toDelta(block, piece) }),
      tokens: shareTokens(tokens, at, pieces.length),
    })),
    toEvent({ type: 'content_block_stop', index }),
  ];
}

function toDelta({ type }: Json, piece: string): Json {
  switch (type) {
    case 'thinking':
      return { type: 'thinking_delta', thinking: piece };
    case 'tool_use':
      return { type: 'input_json_delta', partial_json: piece };
    default:
      return { type: 'text_delta', text: piece };
  }
}

function toEvent(body: Json & { type: string }): Frame {
  return { text: `event: ${body.type}\ndata: ${JSON.stringify(body)}\n\n`, tokens: 0 };
}

const errorTypes: Record<number, string> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  408: 'timeout_error',
  429: 'rate_limit_error',
  529: 'overloaded_error',
};

function replyError({ status, error, headers }: Refusal): Reply {
  const type = errorTypes[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error');
  const body = { type: 'error', error: { type, message: error.message }, request_id: null, metadata: error.metadata };
  return replyText(JSON.stringify(body), { status, headers: headers ?? {} });
}
