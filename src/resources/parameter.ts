import { z } from 'zod';

/** Scalars, and files: those are told more of in `media-parameter.ts`. */
export const parameterTypes = [
  'string',
  'number',
  'integer',
  'boolean',
  'enum',
  'image',
  'audio',
  'video',
  'pdf',
  'file',
] as const;

const scalar = z.union([z.string().max(10_000), z.number(), z.boolean()]);

/** Shape only: a draft may be unfinished. What must hold at publishing is in `checkParameters`. */
export const parameterSchema = z.strictObject({
  name: z.string().max(100).describe('As in the tag: `{name}{/name}`.'),
  type: z
    .enum(parameterTypes, `must be one of ${parameterTypes.map((type) => `"${type}"`).join(', ')}`)
    .default('string')
    .describe(
      'Text unless told. Of image, audio, video, pdf and file the value is an https URL, a base64 data URL or "upload:<id>".',
    ),
  description: z.string().max(1000).default(''),
  required: z.boolean().optional().describe('True unless told or unless there is a default.'),
  default: scalar.optional().describe('Stands in where a buyer sends nothing.'),
  example: scalar.optional().describe('Shown to buyers.'),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  minLength: z.int().min(0).optional(),
  maxLength: z.int().min(1).optional(),
  pattern: z.string().max(500).optional(),
  contentTypes: z
    .array(z.string().max(100))
    .max(20)
    .optional()
    .describe('Of a file: which it may be, such as "image/png". All that are read here unless told.'),
  maxBytes: z.int().min(1).optional().describe('Of a file.'),
  maxPixels: z.int().min(1).optional().describe('Of an image: width times height.'),
  maxPages: z.int().min(1).optional().describe('Of a PDF.'),
  maxSeconds: z.int().min(1).optional().describe('Of sound and film.'),
  options: z.array(z.string().max(200)).max(100).optional().describe('Of an enum: what may be sent.'),
});

export type Parameter = z.output<typeof parameterSchema>;

export const PARAMETER_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,39}$/;

/** A buyer must send it: stated, or (left unsaid) there is no default to fall back to. */
export function isRequired(parameter: Parameter): boolean {
  return parameter.required ?? parameter.default === undefined;
}

/** A run has a value of it, whatever the buyer sends. */
export function isAlwaysThere(parameter: Parameter): boolean {
  return isRequired(parameter) || parameter.default !== undefined;
}
