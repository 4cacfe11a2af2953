import { beforeAll, expect, test } from 'vitest';
import { useApp, type Creator } from './support/start-app.ts';

/** What stands against selling what a model makes beside text, told with the draft. */

const app = useApp();
let creator: Creator;
const text = { name: 'text', type: 'string', description: 'Any text.', maxLength: 400, example: 'Good morning!' };

beforeAll(async () => {
  creator = await app.current.makeCreator('ada');
});

async function findProblem(
  slug: string,
  config: object,
  { path, ...more }: { path: string; parameters?: object[]; acceptsLoss?: object },
): Promise<string | undefined> {
  const draft = { kind: 'openrouter_instant', name: slug, slug, description: 'd', category: 'ai', priceUsdc: '1' };
  const place = { network: 'eip155:84532', payTo: creator.payTo, parameters: [text], ...more };
  const { body } = await creator.call('POST', '/api/resources', { ...draft, ...place, config });
  const problems = body['problems'] as { path: string; message: string }[];
  return problems.find((problem) => problem.path === path)?.message;
}

test.each<[string, object, string, RegExp]>([
  [
    'a voice that the model lacks',
    { modelId: 'openai/tts-1', audio: { voice: 'wolf' } },
    '/config/audio/voice',
    /alloy/,
  ],
  [
    'a length that the model does not film',
    { modelId: 'google/veo-3.1', video: { durationSeconds: 7 } },
    '/config/video/durationSeconds',
    /5, 8/,
  ],
  [
    'a length of film for pictures',
    { modelId: 'black-forest-labs/flux-3-image', video: {} },
    '/config/video',
    /pictures/,
  ],
  ['a temperature for speech', { modelId: 'openai/tts-1', temperature: 1 }, '/config/temperature', /speaks/],
  [
    'a number of pictures in a chat',
    { modelId: 'google/gemini-2.5-flash-image', imageConfig: { n: 2 } },
    '/config/imageConfig/n',
    /chat/,
  ],
  [
    'speaking by a model that only writes',
    { modelId: 'openai/gpt-4o-mini', audio: { voice: 'alloy' } },
    '/config/audio',
    /not speak/,
  ],
  [
    'a promised form for speech',
    { modelId: 'openai/tts-1', outputSchema: { type: 'object' } },
    '/config/outputSchema',
    /speaks/,
  ],
  [
    'a choice of providers for films',
    { modelId: 'google/veo-3.1', provider: { zdr: true } },
    '/config/provider',
    /films/,
  ],
  ['a text for what holds the sound', { modelId: 'openai/whisper-1', systemPrompt: '' }, '/parameters/0/type', /audio/],
  ['no parameter for the documents', { modelId: 'cohere/rerank-v3.5' }, '/config', /documents/],
  [
    'a model of another form to fall back to',
    { modelId: 'openai/tts-1', fallbackModels: ['openai/gpt-4o-mini'] },
    '/config/fallbackModels/0',
    /another form/,
  ],
])('%s is told before anything is published', async (what, ...[config, path, message]) => {
  const slug = what.replaceAll(' ', '-');
  expect(await findProblem(slug, { systemPrompt: '{text}{/text}', ...config }, { path })).toMatch(message);
});

test.each([
  ['pictures', { modelId: 'black-forest-labs/flux-3-image' }],
  ['films', { modelId: 'google/veo-3.1', video: { durationSeconds: 5 } }],
])('a model that makes %s takes no files, which it would not be sent', async (name, config) => {
  const parameters = [text, { name: 'photo', type: 'image' }];
  const path = '/parameters/1/type';
  const whole = { systemPrompt: '{text}{/text}', ...config };
  expect(await findProblem(`files-for-${name}`, whole, { path, parameters })).toMatch(/`photo` would not be sent/);
});

const photo = { name: 'photo', type: 'image' };
const flux = (imageConfig: object) => ({ modelId: 'black-forest-labs/flux-3-image', imageConfig });
const gpt = (imageConfig: object) => ({ modelId: 'openai/gpt-image-1', imageConfig });
const veo = (video: object) => ({ modelId: 'google/veo-3.1', video: { durationSeconds: 5, ...video } });
const grok = (video: object) => ({ modelId: 'x-ai/grok-imagine-video', video: { durationSeconds: 5, ...video } });
const ofPictures = '/config/imageConfig';
const number = { name: 'number', type: 'integer', minimum: 0, maximum: 99 };
const shape = { name: 'shape', type: 'enum', options: ['1:1', '5:1'] };

test.each<[string, object, object[], string, RegExp]>([
  ['a reference that is not there', flux({ references: ['photo'] }), [], `${ofPictures}/references/0`, /no parameter/],
  ['a reference that is a text', flux({ references: ['text'] }), [], `${ofPictures}/references/0`, /make it image/],
  [
    'a reference that is named twice',
    flux({ references: ['photo', 'photo'] }),
    [photo],
    `${ofPictures}/references/1`,
    /twice/,
  ],
  [
    'more references than are taken',
    { modelId: 'krea/krea-2-large', imageConfig: { references: ['a', 'b', 'c', 'd', 'e'] } },
    ['a', 'b', 'c', 'd', 'e'].map((name) => ({ name, type: 'image', maxBytes: 1_000_000 })),
    `${ofPictures}/references`,
    /does not take 5 to 5 pictures to go by. It takes: 0 to 4/,
  ],
  [
    'a reference for who reads none',
    { modelId: 'recraft/recraft-v4.1-flash', imageConfig: { references: ['photo'] } },
    [photo],
    '/parameters/1/type',
    /does not read image input/,
  ],
  ['a sound for pictures', flux({}), [{ name: 'sound', type: 'audio' }], '/parameters/1/type', /Only pictures/],
  [
    'references in a chat',
    { modelId: 'google/gemini-2.5-flash-image', imageConfig: { references: ['photo'] } },
    [photo],
    `${ofPictures}/references`,
    /chat/,
  ],
  ['a seed where none is taken', gpt({ seed: 1 }), [], `${ofPictures}/seed`, /does not take seed 1/],
  [
    'a compression where none is taken',
    flux({ outputCompression: 50 }),
    [],
    `${ofPictures}/outputCompression`,
    /Leave it out/,
  ],
  ['a quality where none is taken', flux({ quality: 'high' }), [], `${ofPictures}/quality`, /Leave it out/],
  ['a format that is not made', flux({ outputFormat: 'webp' }), [], `${ofPictures}/outputFormat`, /png, jpeg/],
  ['a shape that is not made', flux({ aspectRatio: '21:9' }), [], `${ofPictures}/aspectRatio`, /16:9/],
  [
    'a compressed PNG',
    gpt({ outputFormat: 'png', outputCompression: 50 }),
    [],
    `${ofPictures}/outputFormat`,
    /jpeg or webp/,
  ],
  [
    'a transparent JPEG',
    gpt({ outputFormat: 'jpeg', background: 'transparent' }),
    [],
    `${ofPictures}/background`,
    /png or webp/,
  ],
  [
    'a transparent picture that buyers may ask for as JPEG',
    gpt({ background: 'transparent', filledBy: { outputFormat: 'format' } }),
    [{ name: 'format', type: 'enum', options: ['png', 'jpeg'] }],
    `${ofPictures}/background`,
    /png or webp/,
  ],
  [
    'a compression of what buyers may ask for as PNG',
    gpt({ outputCompression: 50, filledBy: { outputFormat: 'format' } }),
    [{ name: 'format', type: 'enum', options: ['png', 'webp'] }],
    `${ofPictures}/filledBy/outputFormat`,
    /jpeg or webp/,
  ],
  ['a size in two ways', gpt({ size: '1024x1024', imageSize: '1K' }), [], `${ofPictures}/size`, /leave out imageSize/],
  [
    'a promise that providers of pictures do not give',
    { ...flux({}), provider: { zdr: true } },
    [],
    '/config/provider/zdr',
    /only order, only, ignore/,
  ],
  [
    'a provider of pictures that is not there',
    { ...flux({}), provider: { only: ['nobody'] } },
    [],
    '/config/provider',
    /served by: simulated/,
  ],
  ['a seed by nothing', flux({ filledBy: { seed: 'number' } }), [], `${ofPictures}/filledBy/seed`, /no parameter/],
  ['a seed by a text', flux({ filledBy: { seed: 'text' } }), [], `${ofPictures}/filledBy/seed`, /of type integer/],
  [
    'a seed without bounds',
    flux({ filledBy: { seed: 'number' } }),
    [{ name: 'number', type: 'integer' }],
    `${ofPictures}/filledBy/seed`,
    /minimum and a maximum/,
  ],
  [
    'a compression beyond its bounds',
    gpt({ filledBy: { outputCompression: 'number' } }),
    [{ ...number, maximum: 101 }],
    `${ofPictures}/filledBy/outputCompression`,
    /allows 101/,
  ],
  [
    'a shape by a parameter that is not made',
    flux({ filledBy: { aspectRatio: 'shape' } }),
    [shape],
    `${ofPictures}/filledBy/aspectRatio`,
    /does not take aspect_ratio/,
  ],
  [
    'a last frame where none is taken',
    grok({ lastFrame: 'photo' }),
    [photo],
    '/config/video/lastFrame',
    /It takes: first_frame/,
  ],
  [
    'frames and references',
    veo({ firstFrame: 'photo', references: ['photo'] }),
    [photo],
    '/config/video/references',
    /ignored/,
  ],
  [
    'a first frame for who reads none',
    { modelId: 'bytedance/seedance-1-lite', video: { durationSeconds: 5, firstFrame: 'photo' } },
    [photo],
    '/config/video/firstFrame',
    /It takes: none/,
  ],
  [
    'a seed of a film where none is taken',
    { modelId: 'bytedance/seedance-1-lite', video: { durationSeconds: 5, seed: 1 } },
    [],
    '/config/video/seed',
    /no seed/,
  ],
  [
    'a sound of a film that is silent',
    { modelId: 'bytedance/seedance-1-lite', video: { durationSeconds: 5, sound: true } },
    [],
    '/config/video/sound',
    /silent/,
  ],
  [
    'a shape of a film that is not made',
    veo({ filledBy: { aspectRatio: 'shape' } }),
    [shape],
    '/config/video/filledBy/aspectRatio',
    /does not make 1:1, 5:1/,
  ],
])('%s is told before anything is published, too', async (what, ...[config, more, path, message]) => {
  const slug = what.replaceAll(/\W+/g, '-').toLowerCase();
  const parameters = [text, ...more];
  const whole = { systemPrompt: '{text}{/text}', ...config };
  expect(await findProblem(slug, whole, { path, parameters })).toMatch(message);
});

test.each<[string, object, object[]]>([
  ['references', flux({ references: ['photo'] }), [photo]],
  ['a seed that a buyer fills', flux({ filledBy: { seed: 'number' } }), [number]],
  ['both frames from one picture', veo({ firstFrame: 'photo', lastFrame: 'photo' }), [photo]],
  ['a usual shape', flux({ aspectRatio: 'auto' }), []],
])('%s can be published', async (what, config, more) => {
  const parameters = [text, ...more];
  const draft = { kind: 'openrouter_instant', name: 'a', slug: what.replaceAll(' ', '-'), description: 'd' };
  const place = { category: 'ai', priceUsdc: '4', network: 'eip155:84532', payTo: creator.payTo, parameters };
  const whole = { ...draft, ...place, config: { systemPrompt: '{text}{/text}', ...config } };
  expect((await creator.call('POST', '/api/resources', whole)).body['problems']).toEqual([]);
});

test('what nobody can tell the cost of is sold only by whoever says that a call may lose money', async () => {
  const sold = { path: '/priceUsdc', parameters: [{ name: 'sound', type: 'audio', description: 'What is said.' }] };
  const config = { modelId: 'openai/whisper-1', systemPrompt: '' };
  expect(await findProblem('unpriced', config, sold)).toMatch(/price of a second of sound.* nothing here bounds/);
  const acceptsLoss = { maxLossUsdPerCall: '0.1' };
  expect(await findProblem('unpriced-all-the-same', config, { ...sold, acceptsLoss })).toBeUndefined();
});
