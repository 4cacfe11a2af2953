import { PNG } from 'pngjs';
import { Big } from 'big.js';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { drawMp3 } from '#sandbox/openrouter/media/sound.ts';
import { getChallenge, payFor, send, type Answered } from './support/paid-request.ts';
import { useApp, type Creator } from './support/start-app.ts';

/** What models make beside text, bought by whoever pays for it: each form of OpenRouter through the whole app. */

const app = useApp();
let creator: Creator;

interface File {
  id: string;
  kind: string;
  contentType: string;
  sizeBytes: number;
  sha256: string;
  url: string;
}

interface Logged {
  costUsd: string | null;
  evidence: { route?: string; model: string; worstCostUsd: string | null };
}

const text = { name: 'text', type: 'string', description: 'Any text.', maxLength: 400, example: 'Good morning!' };
/** Nobody knows before a call what it costs, and its creator sells it all the same. */
const unbounded = { acceptsLoss: { maxLossUsdPerCall: '0.1' } };
const simulator = () => app.current.sandbox?.openRouter;

beforeAll(async () => {
  creator = await app.current.makeCreator('ada');
});
beforeEach(() => simulator()?.control.clearFaults());

async function publish(slug: string, config: object, more: object = {}): Promise<{ id: string; url: string }> {
  const prompt = { systemPrompt: '{text}{/text}' };
  const draft = { slug, priceUsdc: '4', category: 'media', parameters: [text], config: { ...prompt, ...config } };
  return creator.publish({ ...draft, ...more });
}

/** One paid call by a new wallet. */
async function buy(url: string, body: Record<string, unknown>): Promise<Answered & { paid: bigint }> {
  const buyer = await app.current.makeBuyer();
  const answer = await send(url, { payment: await payFor(buyer, url), body });
  return { ...answer, paid: 10_000_000n - (await app.current.balanceOf(buyer.address)) };
}

async function download({ url, contentType, sizeBytes }: File): Promise<Buffer> {
  const response = await fetch(url);
  const bytes = Buffer.from(await response.arrayBuffer());
  expect([response.status, response.headers.get('Content-Type'), bytes.length]).toEqual([200, contentType, sizeBytes]);
  return bytes;
}

async function findLogged(id: string): Promise<Logged> {
  const { body } = await creator.call('GET', `/api/usage?resourceId=${id}`);
  const [newest] = body['items'] as Logged[];
  if (!newest) {
    throw new Error('Nothing is logged.');
  }
  return newest;
}

const spent = (): number => Number(simulator()?.control.getBalance(simulator()?.keys.healthy ?? '').keyUsageUsd);

describe('a paid call', () => {
  test('of a model that makes pictures alone gives as many as the creator chose', async () => {
    const imageConfig = { n: 2, aspectRatio: '3:4' };
    const { id, url } = await publish('pictures', { modelId: 'black-forest-labs/flux-3-image', imageConfig });
    const { status, body, paid } = await buy(url, { text: 'a lighthouse' });
    expect([status, paid]).toEqual([200, 4_000_000n]);
    const images = body['images'] as File[];
    expect(body).toMatchObject({ response: '', media: images, receipt: { paidUsdc: '4' } });
    for (const image of images) {
      expect(image).toMatchObject({ kind: 'image', contentType: 'image/png' });
      expect(PNG.sync.read(await download(image))).toMatchObject({ width: 864, height: 1_184 });
    }
    expect(images.length).toBe(2);
    expect(await findLogged(id)).toMatchObject({
      costUsd: '0.0774',
      evidence: { route: 'images', worstCostUsd: '0.0774' },
    });
  });

  test('of a model that speaks gives a sound, whose cost is known although the answer does not tell it', async () => {
    const { id, url } = await publish('speech', { modelId: 'openai/tts-1', audio: { voice: 'nova' } });
    const { status, body } = await buy(url, { text: 'Mind the gap' });
    expect(status).toBe(200);
    const audio = body['audio'] as File;
    expect(audio).toMatchObject({ kind: 'audio', contentType: 'audio/mpeg' });
    expect((await download(audio)).subarray(0, 2).toString('hex')).toBe('fffb');
    expect(await findLogged(id)).toMatchObject({ costUsd: '0.00018', evidence: { route: 'speech' } });
  });

  test('of speech as samples gives a WAV that says how it is to be played', async () => {
    const { url } = await publish('speech-wav', { modelId: 'openai/tts-1', audio: { voice: 'nova', format: 'wav' } });
    const { body } = await buy(url, { text: 'Mind the gap' });
    const audio = body['audio'] as File;
    const bytes = await download(audio);
    expect(audio.contentType).toBe('audio/wav');
    expect([bytes.readUInt16LE(22), bytes.readUInt32LE(24), bytes.readUInt16LE(34)]).toEqual([1, 24_000, 16]);
    expect(bytes.readUInt32LE(40)).toBe(bytes.length - 44);
  });

  test('of a model that speaks in a chat gives its sound and, as text, what it says', async () => {
    const { url } = await publish('talk', { modelId: 'openai/gpt-audio-mini', audio: { voice: 'alloy' } });
    const { status, body } = await buy(url, { text: 'lighthouses' });
    expect(status).toBe(200);
    expect(body['response']).toContain('[simulated]');
    const audio = body['audio'] as File;
    expect(audio.contentType).toBe('audio/wav');
    expect((await download(audio)).readUInt32LE(24)).toBe(24_000);
  });

  test('of a transcription takes a sound and gives what is said in it', async () => {
    const sound = { name: 'sound', type: 'audio', description: 'What is said.', maxBytes: 100_000 };
    const more = { parameters: [sound], ...unbounded };
    const settings = { systemPrompt: '', transcription: { language: 'en', timestamps: ['segment'] } };
    const { id, url } = await publish('minutes', { modelId: 'openai/whisper-1', ...settings }, more);
    const data = `data:audio/mpeg;base64,${drawMp3(1).toString('base64')}`;
    const { status, body } = await buy(url, { sound: data });
    expect(status).toBe(200);
    expect(body).toMatchObject({ language: 'en', segments: [{ start: 0 }] });
    expect(body['response']).toContain('[simulated]');
    expect(body['durationSeconds']).toBeCloseTo(1, 1);
    expect(Number((await findLogged(id)).costUsd)).toBeGreaterThan(0);
  });

  test('of a transcription without a sound is refused and costs nobody anything', async () => {
    const sound = { name: 'sound', type: 'audio', description: 'What is said.', maxBytes: 100_000 };
    const config = { modelId: 'openai/whisper-1', systemPrompt: '' };
    const { url } = await publish('minutes-of-nothing', config, { parameters: [sound], ...unbounded });
    const before = spent();
    const { status, body, paid } = await buy(url, { sound: 'hm hm' });
    expect([status, body['charged'], paid, spent() - before]).toEqual([400, false, 0n, 0]);
  });

  test('of a model of embeddings gives the vector', async () => {
    const { url } = await publish('vector', {
      modelId: 'openai/text-embedding-3-small',
      embedding: { dimensions: 64 },
    });
    const { status, body } = await buy(url, { text: 'a lighthouse' });
    expect(status).toBe(200);
    expect((body['embedding'] as number[]).length).toBe(64);
    expect(body).toMatchObject({
      model: expect.stringContaining('text-embedding-3-small'),
      usage: { input_tokens: 3 },
    });
  });

  test('of a model that ranks gives the documents in their order', async () => {
    const documents = { name: 'documents', type: 'string', description: 'One a line.', maxLength: 5_000 };
    const config = { modelId: 'cohere/rerank-v3.5', rerank: { documents: 'documents', topN: 2 } };
    const { url } = await publish('ranking', config, { parameters: [text, documents] });
    const lines = 'Bread and butter\nA lighthouse by the sea\nThe sea';
    const { status, body } = await buy(url, { text: 'lighthouse by the sea', documents: lines });
    expect(status).toBe(200);
    expect(body['results']).toEqual([
      { index: 1, relevanceScore: 1, document: 'A lighthouse by the sea' },
      { index: 2, relevanceScore: 0.5, document: 'The sea' },
    ]);
  });

  test('of a model that makes films waits for the film and gives it', async () => {
    const video = { durationSeconds: 5, resolution: '720p' };
    const { id, url } = await publish('film', { modelId: 'google/veo-3.1', video });
    const { status, body } = await buy(url, { text: 'a lighthouse' });
    expect(status).toBe(200);
    const film = body['video'] as File;
    expect(film).toMatchObject({ kind: 'video', contentType: 'video/mp4' });
    expect((await download(film)).toString('latin1', 4, 8)).toBe('ftyp');
    expect(await findLogged(id)).toMatchObject({ costUsd: '1', evidence: { route: 'videos', worstCostUsd: '1' } });
  });

  test.each(['failed', 'cancelled', 'expired'])('of a film whose job is %s costs nobody anything', async (end) => {
    const video = { durationSeconds: 5 };
    const { id, url } = await publish(`film-${end}`, { modelId: 'google/veo-3.1', video });
    const before = spent();
    simulator()?.control.fail(`video_${end}`, { route: 'media' });
    const { status, body, paid } = await buy(url, { text: 'a lighthouse' });
    expect([status, body['charged'], paid, spent() - before]).toEqual([502, false, 0n, 0]);
    const { body: log } = await creator.call('GET', `/api/usage?resourceId=${id}`);
    expect(JSON.stringify(log)).toMatch(/job_failed: .*The job is/);
  });

  test.each<[string, object, object]>([
    ['pictures', { modelId: 'black-forest-labs/flux-3-image' }, {}],
    ['speech', { modelId: 'openai/tts-1' }, {}],
    ['embeddings', { modelId: 'openai/text-embedding-3-small' }, {}],
  ])('of %s that the provider refuses costs the buyer nothing', async (name, config) => {
    const { url } = await publish(`refused-${name}`, config);
    simulator()?.control.fail('502', { route: 'media', times: 9 });
    const { status, body, paid } = await buy(url, { text: 'a lighthouse' });
    expect([status, body['charged'], paid]).toEqual([502, false, 0n]);
  });
});

test.each<[string, object, Record<string, unknown>]>([
  ['pictures', { modelId: 'black-forest-labs/flux-3-image' }, { images: expect.anything() }],
  ['films', { modelId: 'google/veo-3.1', video: { durationSeconds: 5 } }, { video: expect.anything() }],
  ['vectors', { modelId: 'openai/text-embedding-3-small' }, { embedding: expect.anything() }],
  ['text', { modelId: 'openai/gpt-4o-mini' }, { finishReason: 'stop' }],
])('the 402 of what makes %s shows an answer of that form', async (name, config, form) => {
  const { url } = await publish(`form-${name}`, config);
  const { extensions } = await getChallenge(url);
  const bazaar = (extensions as { bazaar: { info: { output: { example: Record<string, unknown> } } } }).bazaar;
  expect(bazaar.info.output.example).toMatchObject(form);
  expect(Object.keys(bazaar.info.output.example).sort()).toEqual(
    expect.arrayContaining(['response', 'usage', ...Object.keys(form)]),
  );
});

test('no call costs its creator more than was told beforehand', async () => {
  const dear: [string, object][] = [
    ['many-pictures', { modelId: 'black-forest-labs/flux-3-image', imageConfig: { n: 4, imageSize: '2K' } }],
    ['long-speech', { modelId: 'openai/tts-1' }],
    ['large-film', { modelId: 'google/veo-3.1', video: { durationSeconds: 8, resolution: '1080p' } }],
    ['any-film', { modelId: 'bytedance/seedance-1-lite' }],
    ['long-vector', { modelId: 'openai/text-embedding-3-large' }],
    ['long-talk', { modelId: 'openai/gpt-audio-mini', audio: { voice: 'alloy' }, maxTokens: 4_000 }],
  ];
  for (const [slug, config] of dear) {
    const { id, url } = await publish(slug, config);
    expect((await buy(url, { text: '\u{1F30A}'.repeat(400) })).status).toBe(200);
    const { costUsd, evidence } = await findLogged(id);
    expect(new Big(evidence.worstCostUsd ?? 0).gte(costUsd ?? Infinity)).toBe(true);
  }
});

test('the catalogue lists models of every output, with their voices', async () => {
  const { body } = await creator.call('GET', '/api/models?q=tts-1&limit=5');
  const items = body['items'] as { openrouterId: string; outputModalities: string[]; voices: string[] | null }[];
  expect(items.find(({ openrouterId }) => openrouterId === 'openai/tts-1')).toMatchObject({
    outputModalities: ['speech'],
    voices: expect.arrayContaining(['alloy', 'nova']),
    isFree: false,
  });
});

test('what a call costs is told by each form, and why where nobody knows', async () => {
  const { id } = await publish('cost-of-pictures', {
    modelId: 'black-forest-labs/flux-3-image',
    imageConfig: { n: 3 },
  });
  const { body: pictures } = await creator.call('GET', `/api/resources/${id}`);
  expect(pictures['cost']).toMatchObject({ published: { typicalCostUsd: '0.1161', worstCostUsd: '0.1161' } });
  const sound = { name: 'sound', type: 'audio', description: 'What is said.' };
  const config = { modelId: 'openai/whisper-1', systemPrompt: '' };
  const minutes = await publish('cost-of-minutes', config, { parameters: [sound], ...unbounded });
  const { body } = await creator.call('GET', `/api/resources/${minutes.id}`);
  expect(body['cost']).toMatchObject({ published: { worstCostUsd: null } });
  expect(JSON.stringify(body['warnings'])).toContain('The catalogue does not tell the price of a second of sound.');
});
