import { z } from 'zod';
import { parseJsonExact } from './parse-json.ts';

// Lenient on purpose: only fields that are used, and a field of an unexpected type counts as absent
// instead of failing an answer that is otherwise good. Real upstreams drift.
const text = z.string().nullish().catch(null);
const count = z.number().int().nonnegative().nullish().catch(null);

const part = z.object({ text, image_url: z.object({ url: text }).nullish().catch(null) });
const image = z.object({ image_url: z.object({ url: z.string() }) });

const message = z.object({
  content: z
    .union([z.string(), z.array(part)])
    .nullish()
    .catch(null),
  refusal: text,
  reasoning: text,
  images: z.array(image.nullable().catch(null)).nullish().catch(null),
});

const choice = z.object({
  index: count,
  delta: message.nullish().catch(null),
  message: message.nullish().catch(null),
  finish_reason: text,
  error: z.unknown().optional(),
});

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
  error: z.unknown().optional(),
});

export type ChatEvent = z.output<typeof event>;
export type EventMessage = z.output<typeof message>;
export type EventUsage = z.output<typeof usage>;

/** One `data:` event of a stream, or the body of an answer that came as plain JSON; null when it is not a JSON object. */
export function parseEvent(json: string): ChatEvent | null {
  try {
    const parsed = event.safeParse(parseJsonExact(json, ['cost']));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
