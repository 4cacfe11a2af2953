import { z } from 'zod';
import type { ModelRoute } from './model-route.ts';

const ratio = z.string().regex(/^(\d{1,2}(\.\d)?:\d{1,2}(\.\d)?|auto)$/, 'must look like 16:9, or be auto');
const size = z.string().regex(/^\d{2,5}x\d{2,5}$/, 'must look like 1024x1024');
const word = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9 _.-]{0,99}$/, 'must be a plain word');
const parameterName = z.string().max(40);
const seed = z.int().min(0).max(2_147_483_647);
/** As many as OpenRouter takes. */
const references = z.array(parameterName).min(1).max(16);

/** Of pictures. What only the route for pictures alone takes is refused for models that are asked in a chat. */
export const imageConfig = z
  .strictObject({
    aspectRatio: ratio.optional(),
    imageSize: z.enum(['512', '1K', '2K', '4K']).optional(),
    size: size.optional(),
    quality: z.enum(['auto', 'low', 'medium', 'high', 'standard', 'hd']).optional(),
    background: z.enum(['auto', 'transparent', 'opaque']).optional(),
    outputFormat: z.enum(['png', 'jpeg', 'webp']).optional(),
    outputCompression: z.int().min(0).max(100).optional().describe('Of JPEG and WebP, 0 to 100.'),
    n: z.int().min(1).max(10).optional(),
    seed: seed.optional(),
    references: references.optional().describe('Parameters of type image: pictures that the model goes by.'),
    filledBy: z
      .strictObject({
        seed: parameterName.optional(),
        outputCompression: parameterName.optional(),
        aspectRatio: parameterName.optional(),
        background: parameterName.optional(),
        outputFormat: parameterName.optional(),
      })
      .optional()
      .describe('Settings that a parameter fills, where a buyer sends it: {"seed": "seed"}.'),
  })
  .optional()
  .describe(
    'Of models that make pictures: {"aspectRatio": "3:4", "imageSize": "512", "1K", "2K" or "4K"}; of those that make nothing else also size, quality, background, outputFormat, outputCompression, n (how many), seed, references (which parameters hold pictures to go by) and filledBy (which parameters fill a setting: {"seed": "seed", "aspectRatio": "shape"}).',
  );

/** Settings of what is no text, each for the models of one or two routes. */
export const mediaSettings = {
  audio: z
    .strictObject({
      voice: word.optional(),
      format: z.enum(['mp3', 'wav']).optional(),
      speed: z.number().min(0.25).max(4).optional(),
    })
    .optional()
    .describe(
      'Of models that speak: {"voice": "alloy", "format": "mp3" or "wav", "speed": 1}. A model that can also write speaks only with it, and answers in wav.',
    ),
  embedding: z
    .strictObject({ dimensions: z.int().min(1).max(65_536).optional(), inputType: word.optional() })
    .optional()
    .describe('Of models that make embeddings: {"dimensions": 256, "inputType": "search_query"}.'),
  rerank: z
    .strictObject({ documents: parameterName.optional(), topN: z.int().min(1).max(1_000).optional() })
    .optional()
    .describe(
      'Of models that rank: {"documents": the parameter that holds them, as a JSON list of texts or one a line, "topN": 3}. The prompt is the query.',
    ),
  transcription: z
    .strictObject({
      audio: parameterName.optional(),
      language: z
        .string()
        .regex(/^[a-z]{2,3}$/, 'must look like en')
        .optional(),
      temperature: z.number().min(0).max(1).optional(),
      timestamps: z
        .array(z.enum(['word', 'segment']))
        .min(1)
        .max(2)
        .optional(),
    })
    .optional()
    .describe(
      'Of models that write down what is said: {"audio": the parameter that holds the sound, "language": "en", "timestamps": ["segment"]}. No prompt is sent.',
    ),
  video: z
    .strictObject({
      durationSeconds: z.int().min(1).max(120).optional(),
      resolution: z.enum(['360p', '480p', '720p', '768p', '1080p', '1K', '2K', '4K']).optional(),
      aspectRatio: ratio.optional(),
      size: size.optional(),
      seed: seed.optional(),
      sound: z.boolean().optional(),
      firstFrame: parameterName.optional().describe('A parameter of type image: what the film begins with.'),
      lastFrame: parameterName.optional().describe('A parameter of type image: what the film ends with.'),
      references: references.optional().describe('Parameters of type image: pictures that the model goes by.'),
      filledBy: z
        .strictObject({ seed: parameterName.optional(), aspectRatio: parameterName.optional() })
        .optional()
        .describe('Settings that a parameter fills, where a buyer sends it: {"seed": "seed"}.'),
    })
    .optional()
    .describe(
      'Of models that make films: {"durationSeconds": 5, "resolution": "720p", "aspectRatio": "16:9"}; also size, seed, sound, the parameters that hold pictures (firstFrame and lastFrame, or references) and filledBy (which parameters fill a setting: {"seed": "seed"}).',
    ),
};

const settings = z.object({ ...mediaSettings, imageConfig });
export type MediaSettings = z.output<typeof settings>;
export type MediaField = keyof MediaSettings;

/** Which of the settings a route knows; the others are refused. */
export const settingsOfRoute: Readonly<Record<ModelRoute, readonly MediaField[]>> = {
  chat: ['audio', 'imageConfig'],
  images: ['imageConfig'],
  speech: ['audio'],
  transcription: ['transcription'],
  videos: ['video'],
  embeddings: ['embedding'],
  rerank: ['rerank'],
};
