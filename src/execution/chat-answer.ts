import { z } from 'zod';
import type { JsonObject } from '#resources/index.ts';
import type { ChatResult } from '#upstreams/index.ts';

/** What else ends an answer makes it a failure. */
const soldReasons = [
  'stop',
  'length',
  'tool_calls',
  'unknown',
] as const satisfies readonly ChatResult['finishReason'][];

const tokens = z.int().min(0).nullable();

/** Which object it is says the outputSchema of each resource. */
const anyObject: unknown = z.record(z.string(), z.unknown());
const output = anyObject as z.ZodType<JsonObject>;

/** What the chat kinds answer, under the names that clients of such endpoints know. */
export const chatAnswer = z.object({
  response: z.string().describe('The text of the model.'),
  images: z
    .array(
      z.object({
        id: z.string(),
        kind: z.literal('image'),
        contentType: z.string(),
        sizeBytes: z.int(),
        sha256: z.string().describe('Of the file, hexadecimal; the receipt repeats it.'),
        width: z.int().nullable(),
        height: z.int().nullable(),
        url: z.string().describe('A signed link; it needs no account.'),
        expiresAt: z.string().describe('The link answers 410 from then on: keep the file itself.'),
      }),
    )
    .exactOptional()
    .describe('Pictures, where the model makes them.'),
  model: z
    .string()
    .nullable()
    .describe('Which model answered, in the words of the upstream; another one where it stood in.'),
  output: output
    .exactOptional()
    .describe('Where the resource has an outputSchema: the answer as the JSON object that fits it.'),
  citations: z
    .array(z.object({ url: z.string(), title: z.string().nullable() }))
    .exactOptional()
    .describe('Where the resource searches the web: the pages that the answer names, in its order.'),
  finishReason: z
    .enum(soldReasons)
    .describe(
      '`stop`: the answer is whole. `length`: it was cut at its token limit. `tool_calls`: the model asked for a tool and wrote this before. `unknown`: the upstream ended it in a word of its own.',
    ),
  usage: z
    .object({ input_tokens: tokens, output_tokens: tokens, total_tokens: tokens })
    .describe('Tokens as the upstream counts them; null where it does not tell.'),
});

export const chatAnswerExample: JsonObject = {
  response: 'The answer of the model.',
  model: 'openai/gpt-4o-mini',
  finishReason: 'stop',
  usage: { input_tokens: 24, output_tokens: 5, total_tokens: 29 },
};
