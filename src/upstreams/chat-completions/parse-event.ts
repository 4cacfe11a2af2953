import { toObject } from '#kit/index.ts';
import { parseJsonExact } from './parse-json.ts';
import { findError } from './read-error.ts';
import { costKeys } from './true-cost.ts';

// Lenient on purpose: only fields that are used, and a field of an unexpected type counts as absent instead of failing an
// answer that is otherwise good. Real upstreams drift. Read by hand, because a stream has hundreds of these.
interface MessagePart {
  text: string | null;
  image_url: { url: string | null } | null;
  isReasoning: boolean;
}

export interface EventMessage {
  content: string | MessagePart[] | null;
  refusal: string | null;
  images: ({ image_url: { url: string } } | null)[] | null;
  audio: { data: string | null; transcript: string | null } | null;
  annotations: unknown[] | null;
  hasReasoning: boolean;
}

interface EventChoice {
  index: number | null;
  delta: EventMessage | null;
  message: EventMessage | null;
  finish_reason: string | null;
  error: unknown;
}

export interface EventUsage {
  prompt_tokens: number | null;
  completion_tokens: number | null;
  cost: string | null;
  is_byok: boolean | null;
  cost_details: { upstream_inference_cost: string | null } | null;
  completion_tokens_details: { reasoning_tokens: number | null } | null;
}

export interface ChatEvent {
  id: string | null;
  model: string | null;
  provider: string | null;
  choices: (EventChoice | null)[] | null;
  usage: EventUsage | null;
  error: unknown;
}

type Given = Readonly<Record<string, unknown>>;

/** Parts of a content list that are no answer. @source vercel/ai#8072 (Mistral), Anthropic's content blocks */
const reasoningParts: ReadonlySet<unknown> = new Set(['thinking', 'redacted_thinking', 'reasoning', 'reasoning_text']);

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

/** One `data:` event of a stream, or the body of an answer that came as plain JSON; null when it is not a JSON object. */
export function parseEvent(json: string): ChatEvent | null {
  let value: unknown;
  try {
    value = parseJsonExact(json, costKeys);
  } catch {
    return null;
  }
  const given = toObject(Array.isArray(value) ? value[0] : value);
  return given === null
    ? null
    : {
        id: toText(given['id']),
        model: toText(given['model']),
        provider: toText(given['provider']),
        choices: toList(given['choices'], toChoice),
        usage: toUsage(toObject(given['usage'])),
        error: findError(value),
      };
}

function toChoice(value: unknown): EventChoice | null {
  const given = toObject(value);
  return given === null
    ? null
    : {
        index: toCount(given['index']),
        delta: toMessage(toObject(given['delta'])),
        message: toMessage(toObject(given['message'])),
        // @source jakobdylanc/llmcord#84 (Google, whose streams named it so)
        finish_reason: toText(given['finish_reason']) ?? toText(given['finishReason']),
        error: given['error'],
      };
}

function toMessage(given: Given | null): EventMessage | null {
  return given === null
    ? null
    : {
        content: toContent(given['content']),
        refusal: toText(given['refusal']),
        images: toList(given['images'], toImage),
        audio: toAudio(toObject(given['audio'])),
        annotations: toList(given['annotations'], (annotation) => annotation),
        hasReasoning: reasoningFields.some((field) => isFilled(given[field])),
      };
}

/** A list with something in it that is no part is no content. */
function toContent(value: unknown): EventMessage['content'] {
  if (!Array.isArray(value)) {
    return toText(value);
  }
  const parts = value.map(toPart);
  return parts.every((part) => part !== null) ? parts : null;
}

function toPart(value: unknown): MessagePart | null {
  const given = toObject(value);
  const image = toObject(given?.['image_url']);
  return given === null
    ? null
    : {
        text: toText(given['text']),
        image_url: image && { url: toText(image['url']) },
        isReasoning: reasoningParts.has(given['type']),
      };
}

function toImage(value: unknown): { image_url: { url: string } } | null {
  const url = toText(toObject(toObject(value)?.['image_url'])?.['url']);
  return url === null ? null : { image_url: { url } };
}

function toAudio(given: Given | null): EventMessage['audio'] {
  return given && { data: toText(given['data']), transcript: toText(given['transcript']) };
}

function toUsage(given: Given | null): EventUsage | null {
  if (given === null) {
    return null;
  }
  const costs = toObject(given['cost_details']);
  const details = toObject(given['completion_tokens_details']);
  const isByok = given['is_byok'];
  return {
    prompt_tokens: toCount(given['prompt_tokens']),
    completion_tokens: toCount(given['completion_tokens']),
    cost: toText(given['cost']),
    is_byok: typeof isByok === 'boolean' ? isByok : null,
    cost_details: costs && { upstream_inference_cost: toText(costs['upstream_inference_cost']) },
    completion_tokens_details: details && { reasoning_tokens: toCount(details['reasoning_tokens']) },
  };
}

function toText(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function toCount(value: unknown): number | null {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : null;
}

function toList<Item>(value: unknown, toItem: (item: unknown) => Item): Item[] | null {
  return Array.isArray(value) ? value.map(toItem) : null;
}

function isFilled(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}
