import { z } from 'zod';

const MAX_INTEGER = 2_147_483_647;
const text = z
  .string()
  .trim()
  .max(200)
  .regex(/^[^\0]*$/, 'Must not hold the NUL character');
const list = text.transform((value) =>
  value
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== ''),
);
const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((value) => value === 'true')], {
  error: 'Write true or false',
});
const usd = z.coerce
  .string()
  .regex(/^\d{1,12}(\.\d{1,12})?$/, 'Write a plain decimal number of USD per million tokens');

export const modelFilters = z.object({
  q: text.optional().describe('Words that all occur in id, name or description'),
  provider: list.optional().describe('One of these makers, comma separated'),
  input: list.optional().describe('Reads all of these: text, image, file, audio, video'),
  output: list.optional().describe('Writes all of these: text, image, embeddings, audio, video …'),
  parameters: list.optional().describe('Supports all of these request parameters, comma separated'),
  minContext: z.coerce.number().int().min(0).max(MAX_INTEGER).optional(),
  maxPromptPrice: usd.optional().describe('USD per million prompt tokens; models of unknown price are left out'),
  maxCompletionPrice: usd.optional().describe('USD per million completion tokens'),
  tools: flag.optional(),
  vision: flag.optional(),
  webSearch: flag.optional(),
  free: flag.optional(),
  active: flag.default(true).describe('false: those that the catalogue no longer lists'),
});

export type ModelFilters = z.output<typeof modelFilters>;
