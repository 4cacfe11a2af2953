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
  expect(await findProblem(`files-for-${name}`, whole, { path, parameters })).toMatch(/sent no files/);
});

test('what nobody can tell the cost of is sold only by whoever says that a call may lose money', async () => {
  const sold = { path: '/priceUsdc', parameters: [{ name: 'sound', type: 'audio', description: 'What is said.' }] };
  const config = { modelId: 'openai/whisper-1', systemPrompt: '' };
  expect(await findProblem('unpriced', config, sold)).toMatch(/price of a second of sound.* nothing here bounds/);
  const acceptsLoss = { maxLossUsdPerCall: '0.1' };
  expect(await findProblem('unpriced-all-the-same', config, { ...sold, acceptsLoss })).toBeUndefined();
});
