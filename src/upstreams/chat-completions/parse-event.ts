import { z } from 'zod';
import { parseJsonExact } from './parse-json.ts';
import { findError } from './read-error.ts';

// Lenient on purpose: only fields that are used, and a field of an unexpected type counts as absent
// instead of failing an answer that is otherwise good. Real upstreams drift.
const text = z.string().nullish().catch(null);
const count = z.number().int().nonnegative().nullish().catch(null);

/** Parts of a content list that are no answer. @source vercel/ai#8072 (Mistral), Anthropic's content blocks */
const reasoningParts: ReadonlySet<string> = new Set(['thinking', 'redacted_thinking', 'reasoning', 'reasoning_text']);

const part = z
  .object({ type: text, text, image_url: z.object({ url: text }).nullish().catch(null) })
  .transform(({ type, ...rest }) => ({ ...rest, isReasoning: reasoningParts.has(type ?? '') }));
const image = z.object({ image_url: z.object({ url: z.string() }) });

/**
 * Where upstreams put what a model thought. None of it is sold; that it is there tells a starved answer from an empty one.
 * @source reasoning: OpenRouter, Groq, vllm-project/vllm; reasoning_content: DeepSeek, Moonshot, llama.cpp, SGLang;
 * reasoning_details: OpenRouter, MiniMax; thinking: Ollama; thinking_blocks: BerriAI/litellm#16434
 */
const reasoningFields = [
  'reasoning',
  'reasoning_content',
  'reasoning_details',
  'reasoning_text',
  'thinking',
  'thinking_blocks',
] as const;

const message = z
  .looseObject({
    content: z
      .union([z.string(), z.array(part)])
      .nullish()
      .catch(null),
    refusal: text,
    images: z.array(image.nullable().catch(null)).nullish().catch(null),
    audio: z.object({ data: text, transcript: text }).nullish().catch(null),
    annotations: z.array(z.unknown()).nullish().catch(null),
  })
  .transform(({ content, refusal, images, audio, annotations, ...rest }) => {
    return {
      content,
      refusal,
      images,
      audio,
      annotations,
      hasReasoning: reasoningFields.some((field) => isFilled(rest[field])),
    };
  });

const choice = z
  .object({
    index: count,
    delta: message.nullish().catch(null),
    message: message.nullish().catch(null),
    finish_reason: text,
    finishReason: text,
    error: z.unknown().optional(),
  })
  // @source jakobdylanc/llmcord#84 (Google, whose streams named it so)
  .transform(({ finishReason, ...rest }) => ({ ...rest, finish_reason: rest.finish_reason ?? finishReason }));

const usage = z.object({
  prompt_tokens: count,
  completion_tokens: count,
  cost: z.string().nullish().catch(null),
  completion_tokens_details: z.object({ reasoning_tokens: count }).nullish().catch(null),
});

const event = z.object({
  id: text,
  model: text,
  provider: text,
  choices: z.array(choice.nullable().catch(null)).nullish().catch(null),
  usage: usage.nullish().catch(null),
});

export type ChatEvent = z.output<typeof event> & { error: unknown };
export type EventMessage = z.output<typeof message>;
export type EventUsage = z.output<typeof usage>;

/** One `data:` event of a stream, or the body of an answer that came as plain JSON; null when it is not a JSON object. */
export function parseEvent(json: string): ChatEvent | null {
  try {
    const value = parseJsonExact(json, ['cost']);
    return readPiece(value) ?? readAny(value);
  } catch {
    return null;
  }
}

function readAny(value: unknown): ChatEvent | null {
  const parsed = event.safeParse(Array.isArray(value) ? value[0] : value);
  return parsed.success ? { ...parsed.data, error: findError(value) } : null;
}

const pieceKeys = new Set([
  'id',
  'object',
  'created',
  'model',
  'provider',
  'choices',
  'system_fingerprint',
  'service_tier',
]);
const choiceKeys = new Set(['index', 'delta', 'finish_reason', 'native_finish_reason', 'logprobs']);
const deltaKeys = new Set(['role', 'content']);

/** A piece of text and nothing else, as nearly all events are, without the schema, which would take most of a stream's time. */
function readPiece(value: unknown): ChatEvent | null {
  const piece = toObject(value, pieceKeys);
  const choices: unknown = piece?.['choices'];
  const found = Array.isArray(choices) && choices.length === 1 ? toObject(choices[0], choiceKeys) : null;
  const said = found && toObject(found['delta'], deltaKeys);
  if (!piece || !found || !said || piece['object'] !== 'chat.completion.chunk') {
    return null;
  }
  const { id, model, provider } = piece;
  const { index, finish_reason: reason } = found;
  const { content } = said;
  const isPlain =
    index === 0 && typeof content === 'string' && isText(id) && isText(model) && isText(provider) && isText(reason);
  if (!isPlain) {
    return null;
  }
  const delta: EventMessage = { content, hasReasoning: false, ...nothing };
  return {
    id,
    model,
    provider,
    choices: [{ index, delta, message: undefined, error: undefined, finish_reason: reason ?? undefined }],
    usage: undefined,
    error: undefined,
  };
}

const nothing = { refusal: undefined, images: undefined, audio: undefined, annotations: undefined };

function toObject(value: unknown, allowed: ReadonlySet<string>): Record<string, unknown> | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return null;
  }
  for (const key of Object.keys(value)) {
    if (!allowed.has(key)) {
      return null;
    }
  }
  return value as Record<string, unknown>;
}

function isText(value: unknown): value is string | null | undefined {
  return value === null || value === undefined || typeof value === 'string';
}

function isFilled(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}
