import { z } from 'zod';
import type { Model } from './model.ts';

const texts = z.array(z.string());

/** What everybody may see of a model. Texts come from the catalogue: show them as text, never as markup. */
export const modelView = z.object({
  id: z.uuid(),
  openrouterId: z.string(),
  canonicalSlug: z.string(),
  displayName: z.string(),
  description: z.string(),
  provider: z.string(),
  inputModalities: texts,
  outputModalities: texts,
  contextLength: z.number().nullable(),
  maxCompletionTokens: z.number().nullable(),
  supportedParameters: texts,
  tools: z.boolean(),
  vision: z.boolean(),
  webSearch: z.boolean(),
  pricing: z
    .record(z.string(), z.unknown())
    .describe('Under the names of OpenRouter: USD per unit as decimal strings; "-1" is unknown; overrides are tiers'),
  isFree: z.boolean(),
  isRouter: z.boolean(),
  isActive: z.boolean(),
  missingSince: z.string().nullable().describe('Since when the upstream lists it no longer; it counts as gone later'),
  oddFields: z
    .array(z.object({ field: z.string(), found: z.string() }))
    .describe('What of the newest list could not be read; the values shown are the last good ones'),
  oddSince: z.string().nullable(),
  voices: texts.nullable().describe('Of models that speak: the names of their voices, where the catalogue tells them'),
  expirationDate: z.string().nullable(),
  publishedAt: z.string().nullable(),
  firstSeenAt: z.string(),
  lastSyncedAt: z.string(),
});

export function toModelView(model: Model): z.input<typeof modelView> {
  return {
    ...model,
    pricing: { ...model.pricing },
    tools: model.supportedParameters.includes('tools'),
    vision: model.inputModalities.includes('image'),
    webSearch: model.supportedParameters.includes('web_search_options'),
  };
}
