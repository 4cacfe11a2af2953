import { z } from 'zod';
import { imageConfig } from './media-settings.ts';
import { providerSettings } from './provider-settings.ts';

const domain = z
  .string()
  .max(253)
  .regex(/^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$/, 'must be a domain such as example.com');

/** What both kinds let a creator set. Shape and plain ranges; whether the model takes them is asked at publishing. */
export const chatSettings = {
  maxTokens: z.int().min(1).max(1_000_000).default(1024).describe('The most that the model may write, in tokens.'),
  temperature: z.number().min(0).max(2).optional().describe('How freely the model chooses its words, from 0 to 2.'),
  topP: z.number().gt(0).max(1).optional().describe('Only the likeliest words that make up this share, above 0 to 1.'),
  frequencyPenalty: z.number().min(-2).max(2).optional().describe('Against words that come often, from -2 to 2.'),
  presencePenalty: z.number().min(-2).max(2).optional().describe('Against words that came at all, from -2 to 2.'),
  outputSchema: z
    .record(z.string(), z.unknown())
    .optional()
    .describe(
      'JSON Schema (2020-12) of the object that each answer is: buyers get it as `output`, and an answer that does not fit is asked for once more and otherwise not sold. Root: {"type": "object", …}.',
    ),
  reasoning: z
    .strictObject({
      effort: z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh']).optional(),
      maxTokens: z.int().min(1).max(1_000_000).optional(),
      exclude: z.boolean().optional(),
    })
    .refine(
      ({ effort, maxTokens }) => effort === undefined || maxTokens === undefined,
      'Set effort or maxTokens, not both.',
    )
    .optional()
    .describe(
      'How much a model that reasons may think: {"effort": "none" to "xhigh"} or {"maxTokens": a part of the maxTokens of the answer}; {"exclude": true} leaves what it thought out of what is sent. Thinking is billed as output.',
    ),
  pdfEngine: z
    .enum(['native', 'mistral-ocr', 'cloudflare-ai'])
    .optional()
    .describe(
      'What reads PDFs on OpenRouter: "native" (the model itself, which has to read files; billed as prompt), "mistral-ocr" (scans too; billed by the page) or "cloudflare-ai" (text alone, free). Unless told, the model where it reads files, else "mistral-ocr".',
    ),
  provider: providerSettings,
  sellsTruncated: z
    .boolean()
    .default(true)
    .describe('May an answer be sold that maxTokens has cut? Its finishReason says so.'),
  imageConfig,
  webSearch: z
    .strictObject({
      engine: z.enum(['exa', 'parallel', 'perplexity']).default('exa'),
      maxUses: z.int().min(1).max(5).default(1).describe('The most searches in one answer.'),
      maxResults: z.int().min(1).max(10).default(5).describe('Of each search.'),
      allowedDomains: z.array(domain).min(1).max(20).optional(),
      excludedDomains: z.array(domain).min(1).max(20).optional(),
    })
    .refine(
      ({ allowedDomains, excludedDomains }) => allowedDomains === undefined || excludedDomains === undefined,
      'Set allowedDomains or excludedDomains, not both.',
    )
    .optional()
    .describe(
      'Lets the model search the web through OpenRouter: {"engine": "exa", "parallel" or "perplexity", "maxUses": 1 to 5, "maxResults": 1 to 10, "allowedDomains": […]}. Answers name their sources in `citations`. Each search is billed.',
    ),
};

export type ChatSettings = z.output<z.ZodObject<typeof chatSettings>>;

/** Longer than a template may be, so that the template's own check explains. */
export const templateText = z.string().max(200_000).describe('A template: `{name}{/name}` stands for a parameter.');
export const modelName = z.string().max(200).describe('The id of a model, as `GET /api/models` lists it.');
