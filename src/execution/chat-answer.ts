import { z } from 'zod';
import type { JsonObject } from '#resources/index.ts';
import type { ChatResult } from '#upstreams/index.ts';
import { optionalMembers, usage } from './media-answer.ts';

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

/** What the chat kinds answer, under the names that clients of such endpoints know. */
export const chatAnswer = z.object({
  response: z.string().describe('The text of the model.'),
  images,
  audio,
  media,
  finishReason,
  usage,
});

/** What models of any output answer: each version gives one form of it, which its 402 tells. */
export const anyAnswer = z.object({
  response: z.string().describe('The text of the model; empty where its answer is no text.'),
  ...optionalMembers,
  finishReason: finishReason.exactOptional(),
  usage,
});

export const chatAnswerExample: JsonObject = {
  response: 'The answer of the model.',
  finishReason: 'stop',
  usage: { input_tokens: 24, output_tokens: 5, total_tokens: 29 },
};
