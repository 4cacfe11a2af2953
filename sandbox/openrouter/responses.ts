import { answerInference } from './answer-inference.ts';
import type { AnswerOptions, Dialect } from './answer-inference.ts';
import type { Completion, ToolCall } from './completion.ts';
import { toUsd } from './cost.ts';
import type { Exchange } from './exchange.ts';
import { parseResponses } from './parse-responses.ts';
import { replyRefusal } from './reply.ts';
import type { Reply } from './reply.ts';
import type { State } from './state.ts';
import { shareTokens, splitText } from './split-text.ts';
import type { Frame } from './wire.ts';

const COMMENT = ': \n\n';
const dialect: Dialect = {
  parse: parseResponses,
  toJson: toResponse,
  toFrames,
  refuse: replyRefusal,
  comment: COMMENT,
};

/** `POST /responses` */
export function answerResponses(state: State, exchange: Exchange): Reply | Promise<Reply> {
  return answerInference(state, exchange, dialect);
}

type Json = Record<string, unknown>;

function toResponse(completion: Completion, options: AnswerOptions): Json {
  return {
    ...toHead(completion, options, statusOf(completion)),
    output: listItems(completion),
    completed_at: secondsOf(completion),
    ...(completion.hasUsage ? { usage: toUsage(completion) } : {}),
    ...(options.metadata ? { openrouter_metadata: options.metadata } : {}),
  };
}

function statusOf({ error, finishReason }: Completion): string {
  return error !== null ? 'failed' : finishReason === 'length' ? 'incomplete' : 'completed';
}

function secondsOf({ createdAt }: Completion): number {
  return Math.floor(createdAt / 1_000);
}

/** What every form of a response repeats of the request. */
function toHead(completion: Completion, { body }: AnswerOptions, status: string): Json {
  return {
    id: completion.id,
    object: 'response',
    created_at: secondsOf(completion),
    model: completion.model,
    status,
    completed_at: null,
    output: [],
    error: completion.error === null || status !== 'failed' ? null : toError(completion.error.message),
    incomplete_details: status === 'incomplete' ? { reason: 'max_output_tokens' } : null,
    tools: body['tools'] ?? [],
    tool_choice: body['tool_choice'] ?? 'auto',
    parallel_tool_calls: body['parallel_tool_calls'] ?? true,
    max_output_tokens: body['max_output_tokens'] ?? null,
    temperature: body['temperature'] ?? null,
    top_p: body['top_p'] ?? null,
    presence_penalty: null,
    frequency_penalty: null,
    top_logprobs: 0,
    max_tool_calls: null,
    metadata: body['metadata'] ?? {},
    background: false,
    previous_response_id: null,
    service_tier: null,
    truncation: null,
    store: false,
    instructions: body['instructions'] ?? null,
    reasoning: null,
    safety_identifier: null,
    prompt_cache_key: null,
    user: body['user'] ?? null,
  };
}

function toError(message: string): Json {
  return { code: 'server_error', message };
}

function toUsage(completion: Completion): Json {
  const { cost, promptTokens, completionTokens } = completion;
  return {
    input_tokens: promptTokens,
    input_tokens_details: { cached_tokens: completion.cachedTokens },
    output_tokens: completionTokens,
    output_tokens_details: { reasoning_tokens: completion.reasoningTokens },
    total_tokens: promptTokens + completionTokens,
    ...(completion.hasCost ? { cost: toUsd(completion.charge), is_byok: completion.isByok } : {}),
    cost_details: {
      upstream_inference_cost: completion.hasCost ? toUsd(cost.total) : null,
      upstream_inference_input_cost: toUsd(cost.prompt),
      upstream_inference_output_cost: toUsd(cost.completion),
    },
  };
}

function listItems(completion: Completion): Json[] {
  const { id, reasoning, content, toolCalls, images } = completion;
  return [
    ...(reasoning === null ? [] : [toReasoning(id, reasoning)]),
    ...(content === null ? [] : [toMessage(id, content, completion.finishReason)]),
    ...toolCalls.map(toFunctionCall),
    ...images.map((url, at) => ({
      id: `ig-${id}-${at}`,
      type: 'image_generation_call',
      status: 'completed',
      result: url.slice(url.indexOf(',') + 1),
    })),
  ];
}

function toReasoning(id: string, text: string): Json {
  return { id: `rs-${id}`, type: 'reasoning', summary: [], content: [{ type: 'reasoning_text', text }] };
}

function toMessage(id: string, text: string, finishReason: string | null): Json {
  const status = finishReason === 'length' ? 'incomplete' : 'completed';
  return { id: `msg-${id}`, type: 'message', role: 'assistant', status, content: [toText(text)] };
}

function toText(text: string): Json {
  return { type: 'output_text', text, annotations: [], logprobs: [] };
}

function toFunctionCall({ id, name, arguments: text }: ToolCall): Json {
  return { id: `fc-${id}`, type: 'function_call', status: 'completed', call_id: id, name, arguments: text };
}

interface Event {
  body: Json;
  tokens?: number;
  isSettling?: boolean;
}

function toFrames(completion: Completion, options: Parameters<Dialect['toFrames']>[1]): Frame[] {
  const { chosen } = options;
  const items = listItems(completion).flatMap((item, at) => toItemEvents(item, at, completion));
  const opening = ['response.created', 'response.in_progress'].map((type) => ({
    body: { type, response: toHead(completion, options, 'in_progress') },
  }));
  const breaks = chosen?.fault.frames !== undefined || completion.error !== null;
  const ending: Event = breaks
    ? toFailure(completion, options)
    : { body: { type: endOf(completion), response: toResponse(completion, options) }, isSettling: true };
  const content = breaks ? items.slice(0, (chosen?.after ?? 0) + 2) : items;
  const frames = [...opening, ...content, ending].map(({ body: { type, ...rest }, ...how }, at): Frame => {
    const data = JSON.stringify({ type, ...rest, sequence_number: at });
    return { text: `data: ${data}\n\n`, tokens: 0, ...how };
  });
  return [{ text: COMMENT, tokens: 0 }, ...frames, { text: 'data: [DONE]\n\n', tokens: 0 }];
}

/** The real one ends a broken response in three ways; which, says the fault. */
function toFailure(completion: Completion, options: Parameters<Dialect['toFrames']>[1]): Event {
  const message = 'Provider returned error';
  switch (options.chosen?.name) {
    case 'stream_error_plain':
      return { body: { type: 'error', code: 'server_error', message, param: null } };
    case 'stream_error_bare':
      return { body: { type: 'response.error', error: toError(message) } };
    default: {
      const failed = { ...completion, error: completion.error ?? { code: 502, message } };
      const response = { ...toHead(failed, options, 'failed'), error_type: 'provider_unavailable' };
      return { body: { type: 'response.failed', response } };
    }
  }
}

function endOf(completion: Completion): string {
  return statusOf(completion) === 'incomplete' ? 'response.incomplete' : 'response.completed';
}

/** An item is announced, written and finished. */
function toItemEvents(item: Json, at: number, completion: Completion): Event[] {
  const place = { output_index: at, item_id: item['id'] };
  const written = contentEvents(item, place, completion);
  const added = { type: 'response.output_item.added', output_index: at, item: emptied(item) };
  const done = { type: 'response.output_item.done', output_index: at, item };
  return [{ body: added }, ...written, { body: done }];
}

function emptied(item: Json): Json {
  const status = 'status' in item ? { status: 'in_progress' } : {};
  const contents = item['type'] === 'function_call' ? { arguments: '' } : 'content' in item ? { content: [] } : {};
  return { ...item, ...status, ...contents, ...('result' in item ? { result: null } : {}) };
}

function contentEvents(item: Json, place: Json, completion: Completion): Event[] {
  switch (item['type']) {
    case 'message': {
      const { content } = completion;
      const part = toText(content ?? '');
      const at = { ...place, content_index: 0 };
      const tokens = completion.completionTokens - completion.reasoningTokens - completion.imageTokens;
      return [
        { body: { type: 'response.content_part.added', ...at, part: toText('') } },
        ...deltas({ type: 'response.output_text.delta', ...at, logprobs: [] }, content ?? '', tokens),
        { body: { type: 'response.output_text.done', ...at, text: content, logprobs: [] } },
        { body: { type: 'response.content_part.done', ...at, part } },
      ];
    }
    case 'reasoning': {
      const at = { ...place, content_index: 0 };
      const text = completion.reasoning ?? '';
      return [
        ...deltas({ type: 'response.reasoning_text.delta', ...at }, text, completion.reasoningTokens),
        { body: { type: 'response.reasoning_text.done', ...at, text } },
      ];
    }
    case 'function_call': {
      const text = String(item['arguments']);
      const done = { type: 'response.function_call_arguments.done', ...place, arguments: text, name: item['name'] };
      const tokens = completion.completionTokens - completion.reasoningTokens;
      return [...deltas({ type: 'response.function_call_arguments.delta', ...place }, text, tokens), { body: done }];
    }
    default:
      return [];
  }
}

function deltas(event: Json, text: string, tokens: number): Event[] {
  const pieces = splitText(text);
  return pieces.map((delta, at) => ({ body: { ...event, delta }, tokens: shareTokens(tokens, at, pieces.length) }));
}
