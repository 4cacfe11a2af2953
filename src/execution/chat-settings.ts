import { z } from 'zod';
import { imageConfig } from './media-settings.ts';

/** What both kinds let a creator set. Shape and plain ranges; whether the model takes them is asked at publishing. */
export const chatSettings = {
  maxTokens: z.int().min(1).max(1_000_000).default(1024).describe('The most that the model may write, in tokens.'),
  temperature: z.number().min(0).max(2).optional().describe('How freely the model chooses its words, from 0 to 2.'),
  topP: z.number().gt(0).max(1).optional().describe('Only the likeliest words that make up this share, above 0 to 1.'),
  frequencyPenalty: z.number().min(-2).max(2).optional().describe('Against words that come often, from -2 to 2.'),
  presencePenalty: z.number().min(-2).max(2).optional().describe('Against words that came at all, from -2 to 2.'),
  sellsTruncated: z
    .boolean()
    .default(true)
    .describe('May an answer be sold that maxTokens has cut? Its finishReason says so.'),
  imageConfig,
};

export type ChatSettings = z.output<z.ZodObject<typeof chatSettings>>;

/** Longer than a template may be, so that the template's own check explains. */
export const templateText = z.string().max(200_000).describe('A template: `{name}{/name}` stands for a parameter.');
export const modelName = z.string().max(200).describe('The id of a model, as `GET /api/models` lists it.');
