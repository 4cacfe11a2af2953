import { z } from 'zod';
import type { JsonObject, MediaReference } from '#resources/index.ts';
import type { MediaFacts } from '#upstreams/index.ts';
import type { ModelRoute } from './model-route.ts';

const tokens = z.int().min(0).nullable();

export const usage = z
  .object({ input_tokens: tokens, output_tokens: tokens, total_tokens: tokens })
  .describe('Tokens as the upstream counts them; null where it does not tell.');

export const model = z
  .string()
  .nullable()
  .describe('Which model answered, in the words of the upstream; another one where it stood in.');

/** A stored file of an answer. */
const file = z.object({
  id: z.string(),
  kind: z.enum(['image', 'audio', 'video', 'file']),
  contentType: z.string(),
  sizeBytes: z.int().min(1),
  sha256: z.string().describe('Of the bytes, in hex.'),
  width: z.int().nullable(),
  height: z.int().nullable(),
  url: z.string().describe('A signed link; it needs no account.'),
  expiresAt: z.string().describe('The link answers 410 from then on: keep the file itself.'),
});

const media = z.array(file).describe('Every file of the answer.');
const noText = z.string().describe('Empty: the answer is what stands beside it.');
const mark = { start: z.number(), end: z.number() };

const members = {
  images: z.array(file).describe('Pictures, where the model makes them.'),
  audio: file.describe('What was spoken.'),
  video: file.describe('The film.'),
  media,
  embedding: z.array(z.number()).describe('The vector of the text.'),
  results: z
    .array(z.object({ index: z.int().min(0), relevanceScore: z.number(), document: z.string() }))
    .describe('The documents, the best first; `index` is the place that each had in what was sent.'),
  language: z.string().nullable().describe('As the model recognised it; null where it does not tell.'),
  durationSeconds: z.number().nullable().describe('Of the sound; null where it is not told.'),
  segments: z.array(z.object({ ...mark, text: z.string() })).describe('Where asked for; seconds from the start.'),
  words: z.array(z.object({ ...mark, word: z.string() })).describe('Where asked for; seconds from the start.'),
};

/** Everything that models of any route answer beside text: for the kind as a whole, of which a version answers one form. */
export const optionalMembers = {
  images: members.images.exactOptional(),
  audio: members.audio.exactOptional(),
  video: members.video.exactOptional(),
  media: members.media.exactOptional(),
  embedding: members.embedding.exactOptional(),
  results: members.results.exactOptional(),
  language: members.language.exactOptional(),
  durationSeconds: members.durationSeconds.exactOptional(),
  segments: members.segments.exactOptional(),
  words: members.words.exactOptional(),
};

type MediaRoute = Exclude<ModelRoute, 'chat'>;

const { images, audio, video, embedding, results, language, durationSeconds, segments, words } = members;

const marks = { segments: segments.exactOptional(), words: words.exactOptional() };

/** What a version on each route answers, exactly. */
export const mediaAnswers = {
  images: z.object({ response: noText, images, media, model, usage }),
  speech: z.object({ response: noText, audio, media, model, usage }),
  transcription: z.object({
    response: z.string().describe('What was said.'),
    language,
    durationSeconds,
    ...marks,
    model,
    usage,
  }),
  videos: z.object({ response: noText, video, media, model, usage }),
  embeddings: z.object({ response: noText, embedding, model, usage }),
  rerank: z.object({ response: noText, results, model, usage }),
} as const satisfies Record<MediaRoute, z.ZodType<JsonObject>>;

export function toUsage({ inputTokens, outputTokens }: Pick<MediaFacts, 'inputTokens' | 'outputTokens'>): JsonObject {
  const total = inputTokens === null || outputTokens === null ? null : inputTokens + outputTokens;
  return { input_tokens: inputTokens, output_tokens: outputTokens, total_tokens: total };
}

const exampleFile: MediaReference = {
  id: '01900000-0000-7000-8000-000000000000',
  kind: 'image',
  contentType: 'image/png',
  sizeBytes: 20_480,
  sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  width: 1_024,
  height: 1_024,
  url: 'https://farebox.example/api/media/01900000-0000-7000-8000-000000000000?expires=1767225600&signature=AAAA',
  expiresAt: '2026-01-01T00:00:00.000Z',
};
const noSides = { width: null, height: null };
const picture = { ...exampleFile };
const sound = { ...exampleFile, ...noSides, kind: 'audio' as const, contentType: 'audio/mpeg' };
const film = { ...exampleFile, ...noSides, kind: 'video' as const, contentType: 'video/mp4' };
const notTold = { input_tokens: null, output_tokens: null, total_tokens: null };

export const mediaExamples: Readonly<Record<MediaRoute, JsonObject>> = {
  images: {
    response: '',
    images: [picture],
    media: [picture],
    model: 'black-forest-labs/flux-3-image',
    usage: notTold,
  },
  speech: { response: '', audio: sound, media: [sound], model: 'openai/tts-1', usage: notTold },
  transcription: {
    response: 'Good morning.',
    language: 'en',
    durationSeconds: 1.2,
    model: 'openai/whisper-1',
    usage: notTold,
  },
  videos: { response: '', video: film, media: [film], model: 'google/veo-3.1', usage: notTold },
  embeddings: {
    response: '',
    embedding: [0.12, -0.03, 0.5],
    model: 'openai/text-embedding-3-small',
    usage: { input_tokens: 4, output_tokens: 0, total_tokens: 4 },
  },
  rerank: {
    response: '',
    results: [{ index: 1, relevanceScore: 0.98, document: 'The second document.' }],
    model: 'cohere/rerank-v3.5',
    usage: notTold,
  },
};
