import { z } from 'zod';
import type { JsonObject } from '#resources/index.ts';
import type { ChatResult } from '#upstreams/index.ts';
import { model, optionalMembers, usage } from './media-answer.ts';

/** What else ends an answer makes it a failure. */
const soldReasons = [
  'stop',
  'length',
  'tool_calls',
  'unknown',
] as const satisfies readonly ChatResult['finishReason'][];

const finishReason = z
  .enum(soldReasons)
  .describe(
    '`stop`: the answer is whole. `length`: it was cut at its token limit. `tool_calls`: the model asked for a tool and wrote this before. `unknown`: the upstream ended it in a word of its own.',
  );

const { images, audio, media } = optionalMembers;

/** Which object it is says the outputSchema of each resource. */
const anyObject: unknown = z.record(z.string(), z.unknown());
const output = (anyObject as z.ZodType<JsonObject>)
  .exactOptional()
  .describe('Where the resource has an outputSchema: the answer as the JSON object that fits it.');

const citations = z
  .array(z.object({ url: z.string(), title: z.string().nullable() }))
  .exactOptional()
  .describe('Where the resource searches the web: the pages that the answer names, in its order.');

/** What the chat kinds answer, under the names that clients of such endpoints know. */
export const chatAnswer = z.object({
  response: z.string().describe('The text of the model.'),
  images,
  media,
  model,
  output,
  citations,
  finishReason,
  usage,
});

/** What models answer that only write, and those that speak what they write. */
export const textAnswer = chatAnswer.omit({ images: true, media: true });
export const spokenAnswer = chatAnswer.extend({ audio });

/** What models of any output answer: each version gives one form of it, which its 402 tells. */
export const anyAnswer = z.object({
  response: z.string().describe('The text of the model; empty where its answer is no text.'),
  ...optionalMembers,
  model: model.exactOptional(),
  output,
  citations,
  finishReason: finishReason.exactOptional(),
  usage,
});

export const chatAnswerExample: JsonObject = {
  response: 'The answer of the model.',
  model: 'openai/gpt-4o-mini',
  finishReason: 'stop',
  usage: { input_tokens: 24, output_tokens: 5, total_tokens: 29 },
};
