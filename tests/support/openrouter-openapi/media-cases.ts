import { drawMp3 } from '#sandbox/openrouter/media/sound.ts';
import { makePng } from '../files.ts';

export interface Sent {
  key?: string;
  body?: Record<string, unknown>;
  headers?: Record<string, string>;
}

/** One request of the simulator and the status that it is answered with. */
export type OpenApiCase = [name: string, method: string, path: string, status: number, sent?: () => Sent];

const PICTURES = 'black-forest-labs/flux-3-image';

const EMBEDDING = 'openai/text-embedding-3-small';
const RANKER = 'cohere/rerank-v3.5';
const STREAMED = 'openai/gpt-image-1';
const DRAWINGS = 'recraft/recraft-v4';
const breaksOff = { 'x-sim-fault': 'images_stream_error' };
const toImagePart = (base64 = makePng(8, 8).toString('base64')) => ({
  type: 'image_url',
  image_url: { url: `data:image/png;base64,${base64}` },
});
const timed = { response_format: 'verbose_json', timestamp_granularities: ['segment', 'word'] };
const toSound = (more: object) => ({
  model: 'openai/whisper-1',
  input_audio: { data: drawMp3(2).toString('base64'), format: 'mp3' },
  ...more,
});

/** The routes beside chat. */
export const mediaCases: readonly OpenApiCase[] = [
  ['models of pictures', 'GET', '/images/models', 200],
  ['who makes pictures', 'GET', `/images/models/${PICTURES}/endpoints`, 200],
  ['nobody who makes pictures', 'GET', '/images/models/nobody/nothing/endpoints', 404],
  ['a picture', 'POST', '/images', 200, () => ({ body: { model: PICTURES, prompt: 'a lighthouse' } })],
  [
    'pictures in a stream',
    'POST',
    '/images',
    200,
    () => ({ body: { model: STREAMED, prompt: 'a sea', stream: true, n: 2 } }),
  ],
  [
    'a drawing in a stream',
    'POST',
    '/images',
    200,
    () => ({ body: { model: DRAWINGS, prompt: 'a sea', stream: true, output_format: 'svg' } }),
  ],
  [
    'pictures whose stream breaks off',
    'POST',
    '/images',
    200,
    () => ({ body: { model: STREAMED, prompt: 'a sea', stream: true }, headers: breaksOff }),
  ],
  [
    'pictures that break off',
    'POST',
    '/images',
    502,
    () => ({ body: { model: STREAMED, prompt: 'a sea' }, headers: breaksOff }),
  ],
  [
    'a picture after another',
    'POST',
    '/images',
    200,
    () => ({ body: { model: PICTURES, prompt: 'a sea', input_references: [toImagePart()], seed: 7 } }),
  ],
  [
    'a picture after none',
    'POST',
    '/images',
    400,
    () => ({ body: { model: PICTURES, prompt: 'a sea', input_references: [{ ...toImagePart('AAAA') }] } }),
  ],
  [
    'a picture after one that is not read',
    'POST',
    '/images',
    404,
    () => ({ body: { model: 'recraft/recraft-v4.1-flash', prompt: 'a sea', input_references: [toImagePart()] } }),
  ],
  [
    'a film from an unknown frame',
    'POST',
    '/videos',
    400,
    () => ({
      body: {
        model: 'x-ai/grok-imagine-video',
        prompt: 'a sea',
        frame_images: [{ ...toImagePart(), frame_type: 'last_frame' }],
      },
    }),
  ],
  [
    'a film from its frames',
    'POST',
    '/videos',
    202,
    () => ({
      body: {
        model: 'google/veo-3.1',
        prompt: 'a sea',
        frame_images: [{ ...toImagePart(), frame_type: 'last_frame' }],
        seed: 7,
      },
    }),
  ],
  ['no prompt for a picture', 'POST', '/images', 400, () => ({ body: { model: PICTURES } })],
  [
    'speech',
    'POST',
    '/audio/speech',
    200,
    () => ({ body: { model: 'openai/tts-1', input: 'Mind it.', voice: 'alloy' } }),
  ],
  ['what is said', 'POST', '/audio/transcriptions', 200, () => ({ body: toSound({}) })],
  ['what is said when', 'POST', '/audio/transcriptions', 200, () => ({ body: toSound(timed) })],
  ['no sound', 'POST', '/audio/transcriptions', 400, () => ({ body: { model: 'openai/whisper-1' } })],
  ['models of embeddings', 'GET', '/embeddings/models', 200],
  ['an embedding', 'POST', '/embeddings', 200, () => ({ body: { model: EMBEDDING, input: ['a', 'b'] } })],
  ['no text to embed', 'POST', '/embeddings', 400, () => ({ body: { model: EMBEDDING } })],
  [
    'a ranking',
    'POST',
    '/rerank',
    200,
    () => ({ body: { model: RANKER, query: 'sea', documents: ['a sea', 'a hill'] } }),
  ],
  ['nothing to rank', 'POST', '/rerank', 400, () => ({ body: { model: RANKER, query: 'sea' } })],
  ['models of films', 'GET', '/videos/models', 200],
  ['no prompt for a film', 'POST', '/videos', 400, () => ({ body: { model: 'google/veo-3.1' } })],
  ['no film', 'GET', '/videos/nothing', 404],
  [
    'an unknown key',
    'POST',
    '/rerank',
    401,
    () => ({ key: 'sk-or-v1-nobody', body: { model: RANKER, query: 'sea', documents: ['a'] } }),
  ],
];
