import { z } from 'zod';

/** What both kinds let a creator set. Shape and plain ranges; whether the model takes them is asked at publishing. */
export const chatSettings = {
  maxTokens: z.int().min(1).max(1_000_000).default(1024),
  temperature: z.number().min(0).max(2).optional(),
  topP: z.number().gt(0).max(1).optional(),
  frequencyPenalty: z.number().min(-2).max(2).optional(),
  presencePenalty: z.number().min(-2).max(2).optional(),
  /** May an answer be sold that maxTokens has cut? Its `finishReason` says so. */
  sellsTruncated: z.boolean().default(true),
  imageConfig: z
    .strictObject({
      aspectRatio: z
        .string()
        .regex(/^\d{1,2}:\d{1,2}$/, 'must look like 16:9')
        .optional(),
      imageSize: z.enum(['512', '1K', '2K', '4K']).optional(),
    })
    .optional(),
};

export type ChatSettings = z.output<z.ZodObject<typeof chatSettings>>;

/** Longer than a template may be, so that the template's own check explains. */
export const templateText = z.string().max(200_000);
export const modelName = z.string().max(200);
