import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHmac } from 'node:crypto';
import { OpenRouter } from '@openrouter/sdk';
import * as errors from '@openrouter/sdk/models/errors';
import { PNG } from 'pngjs';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { drawMp3, drawSamples } from './sound.ts';
import { useSimulator } from '../../../tests/support/use-simulator.ts';
import type { OpenRouterSimulator } from '../start-simulator.ts';

/** The official client, unmodified, reads every answer of the routes beside chat. */

const clock = { at: Date.parse('2026-11-20T12:00:00Z'), now: () => clock.at };
const simulator = useSimulator({ clock, generationDelayMs: 0 });
let sdk: OpenRouter;

beforeAll(() => {
  sdk = openSdk(simulator.keys.healthy);
});
beforeEach(() => {
  simulator.control.setLatency({ firstTokenMs: 0 });
});

function openSdk(apiKey: string): OpenRouter {
  return new OpenRouter({ apiKey, serverURL: simulator.url, retryConfig: { strategy: 'none' }, timeoutMs: 10_000 });
}

async function readAll(stream: ReadableStream<Uint8Array>): Promise<Buffer> {
  return Buffer.from(await new Response(stream).arrayBuffer());
}

const spent = (): number => 1_000 - Number(simulator.control.getBalance(simulator.keys.healthy).creditsUsd);

describe('@openrouter/sdk', () => {
  test('reads pictures, as many as asked for and each a PNG, and their exact price', async () => {
    const asked = {
      model: 'black-forest-labs/flux-3-image',
      prompt: 'a lighthouse',
      n: 2,
      aspectRatio: '3:4' as const,
    };
    const answer = await sdk.images.generate({ imageGenerationRequest: asked });
    const result = answer as { data: { b64Json: string }[]; usage?: { cost?: number | null } };
    const pictures = result.data.map(({ b64Json }) => PNG.sync.read(Buffer.from(b64Json, 'base64')));
    expect(pictures.map(({ width, height }) => [width, height])).toEqual([
      [864, 1_184],
      [864, 1_184],
    ]);
    expect(result.usage?.cost).toBeCloseTo(spent(), 10);
    expect(spent()).toBeGreaterThan(0);
  });

  test('lists the models of pictures, films and embeddings, and the price of a picture', async () => {
    const { data: images } = await sdk.images.listModels();
    expect(images.map(({ id }) => id)).toContain('black-forest-labs/flux-3-image');
    const endpoints = await sdk.images.listModelEndpoints({ author: 'black-forest-labs', slug: 'flux-3-image' });
    expect(endpoints.endpoints[0]?.pricing).toEqual([
      { billable: 'output_image', unit: 'image', costUsd: 0.0387 },
      { billable: 'input_image', unit: 'megapixel', costUsd: 0.015 },
    ]);
    const { data: films } = await sdk.videoGeneration.listVideosModels();
    expect(films.map(({ id }) => id)).toEqual([
      'google/veo-3.1',
      'bytedance/seedance-1-lite',
      'x-ai/grok-imagine-video',
    ]);
    const embeddings = await sdk.embeddings.listModels();
    expect(embeddings.result.data.length).toBeGreaterThan(20);
  });

  test('reads speech as MP3 and as samples, whose cost a generation tells', async () => {
    const speechRequest = { model: 'openai/tts-1', input: 'Mind the gap, please.', voice: 'alloy' };
    const mp3 = await readAll(
      await sdk.tts.createSpeech({ speechRequest: { ...speechRequest, responseFormat: 'mp3' } }),
    );
    expect(mp3.subarray(0, 4).toString('hex')).toBe('fffb10c4');
    expect(mp3.length % 104).toBe(0);
    const pcm = await readAll(await sdk.tts.createSpeech({ speechRequest }));
    expect(pcm.length % 2).toBe(0);
    expect(spent()).toBeCloseTo(2 * 21 * 0.000015, 10);
  });

  test('reads a transcript, with times where asked for, priced by the second', async () => {
    const data = drawMp3(2).toString('base64');
    const sttRequest = { model: 'openai/whisper-1', inputAudio: { data, format: 'mp3' } };
    const plain = await sdk.stt.createTranscription({ sttRequest });
    expect(plain.text).toContain('[simulated]');
    expect(plain.usage?.seconds).toBeCloseTo(2, 1);
    const file = { fileName: 'two.mp3', content: new Uint8Array(drawMp3(2)) };
    const sent = await sdk.stt.createTranscriptionMultipart({ requestBody: { model: 'openai/whisper-1', file } });
    expect(sent).toMatchObject({ text: plain.text, usage: { cost: plain.usage?.cost } });
    const timed = await sdk.stt.createTranscription({
      sttRequest: { ...sttRequest, responseFormat: 'verbose_json', timestampGranularities: ['word', 'segment'] },
    });
    expect(timed.segments?.length).toBe(1);
    expect(timed.words?.length).toBeGreaterThan(1);
    expect(plain.usage?.cost).toBeGreaterThan(0);
  });

  test('reads embeddings in both forms, of the length that was asked for', async () => {
    const requestBody = { model: 'openai/text-embedding-3-small', input: 'a lighthouse', dimensions: 8 };
    const floats = await sdk.embeddings.generate({ requestBody });
    const [{ embedding }] = (floats as unknown as { data: [{ embedding: number[] }] }).data;
    expect(embedding.length).toBe(8);
    expect(embedding.reduce((sum, value) => sum + value * value, 0)).toBeCloseTo(1, 5);
    const packed = await sdk.embeddings.generate({ requestBody: { ...requestBody, encodingFormat: 'base64' } });
    const [{ embedding: text }] = (packed as unknown as { data: [{ embedding: string }] }).data;
    expect(Buffer.from(text, 'base64').readFloatLE(0)).toBeCloseTo(embedding[0] ?? 0, 6);
  });

  test('reads a ranking, the best first', async () => {
    const documents = ['Bread and butter', 'A lighthouse by the sea', 'The sea'];
    const ranked = await sdk.rerank.rerank({
      requestBody: { model: 'cohere/rerank-v3.5', query: 'lighthouse by the sea', documents, topN: 2 },
    });
    const { results, usage } = ranked as unknown as {
      results: { index: number; document: { text: string } }[];
      usage: { searchUnits: number; cost: number };
    };
    expect(results.map(({ index }) => index)).toEqual([1, 2]);
    expect(results[0]?.document.text).toBe(documents[1]);
    expect(usage).toMatchObject({ searchUnits: 1, cost: 0.002 });
  });

  test('follows a film from pending to its bytes, which are billed once', async () => {
    simulator.control.setLatency({ firstTokenMs: 1_000 });
    const videoGenerationRequest = {
      model: 'google/veo-3.1',
      prompt: 'a lighthouse',
      duration: 5,
      resolution: '720p' as const,
    };
    const begun = await sdk.videoGeneration.generate({ videoGenerationRequest });
    const status = async (): Promise<string> => (await sdk.videoGeneration.getGeneration({ jobId: begun.id })).status;
    expect([begun.status, await status()]).toEqual(['pending', 'pending']);
    clock.at += 3_000;
    expect(await status()).toBe('in_progress');
    await expect(sdk.videoGeneration.getVideoContent({ jobId: begun.id })).rejects.toBeInstanceOf(
      errors.BadRequestResponseError,
    );
    expect(spent()).toBe(0);
    clock.at += 10_000;
    const done = await sdk.videoGeneration.getGeneration({ jobId: begun.id });
    expect(done).toMatchObject({ status: 'completed', usage: { cost: 1 } });
    const film = await readAll(await sdk.videoGeneration.getVideoContent({ jobId: begun.id }));
    expect(film.toString('latin1', 4, 12)).toBe('ftypisom');
    await status();
    expect(spent()).toBe(1);
    const generation = await sdk.generations.getGeneration({ id: begun.generationId ?? '' });
    expect(generation.data).toMatchObject({ totalCost: 1, apiType: 'video' });
  });

  test.each(['failed', 'cancelled', 'expired'])('reads of a film that is %s, which costs nothing', async (end) => {
    simulator.control.fail(`video_${end}`, { route: 'media' });
    const videoGenerationRequest = { model: 'google/veo-3.1', prompt: 'a lighthouse' };
    const { id } = await sdk.videoGeneration.generate({ videoGenerationRequest });
    expect(await sdk.videoGeneration.getGeneration({ jobId: id })).toMatchObject({ status: end });
    expect(spent()).toBe(0);
  });

  test('hears sound in a chat, in pieces with their transcript, and only in a stream', async () => {
    const request = {
      model: 'openai/gpt-audio-mini',
      messages: [{ role: 'user', content: 'Say something about lighthouses' }],
      modalities: ['text', 'audio'],
      audio: { voice: 'alloy', format: 'pcm16' },
    };
    const post = (body: object): Promise<Response> =>
      fetch(`${simulator.url}/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${simulator.keys.healthy}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    expect((await post(request)).status).toBe(400);
    const lines = (await (await post({ ...request, stream: true })).text()).split('\n');
    const deltas = lines
      .filter((line) => line.startsWith('data: {'))
      .map(
        (line) =>
          JSON.parse(line.slice(6)) as { choices: { delta: { audio?: { data: string; transcript?: string } } }[] },
      )
      .flatMap(({ choices }) => (choices[0]?.delta.audio ? [choices[0].delta.audio] : []));
    expect(deltas.length).toBeGreaterThan(0);
    expect(deltas[0]?.transcript).toContain('[simulated]');
    expect(deltas.every(({ data }) => Buffer.from(data, 'base64').length % 2 === 0)).toBe(true);
  });

  const refused: [what: string, key: keyof OpenRouterSimulator['keys'], type: new (...args: never[]) => Error][] = [
    ['without credits', 'empty', errors.PaymentRequiredResponseError],
    ['with a disabled key', 'disabled', errors.UnauthorizedResponseError],
    ['with a management key', 'management', errors.ForbiddenResponseError],
  ];
  test.each(refused)('is refused a picture %s, before any work', async (_what, key, type) => {
    const imageGenerationRequest = { model: 'black-forest-labs/flux-3-image', prompt: 'a lighthouse' };
    await expect(openSdk(simulator.keys[key]).images.generate({ imageGenerationRequest })).rejects.toBeInstanceOf(type);
  });

  test('is refused what a model does not make', async () => {
    const imageGenerationRequest = { model: 'openai/gpt-4o-mini', prompt: 'a lighthouse' };
    await expect(sdk.images.generate({ imageGenerationRequest })).rejects.toBeInstanceOf(errors.NotFoundResponseError);
  });
});

test('a picture that its provider failed to make costs nothing', async () => {
  const before = simulator.control.getBalance(simulator.keys.healthy);
  simulator.control.fail('images_502', { route: 'media' });
  const imageGenerationRequest = { model: 'black-forest-labs/flux-3-image', prompt: 'a lighthouse' };
  await expect(sdk.images.generate({ imageGenerationRequest })).rejects.toBeInstanceOf(errors.BadGatewayResponseError);
  expect(simulator.control.getBalance(simulator.keys.healthy)).toEqual(before);
  expect(await sdk.images.generate({ imageGenerationRequest })).toMatchObject({ data: [expect.anything()] });
});

test('whoever asked is told of a finished film, with a signature of the time and the body', async () => {
  const told = Promise.withResolvers<{ headers: IncomingMessage['headers']; body: string }>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      response.end();
      told.resolve({ headers: request.headers, body: Buffer.concat(chunks).toString() });
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const callbackUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const videoGenerationRequest = { model: 'google/veo-3.1', prompt: 'a lighthouse', callbackUrl };
  const { id } = await sdk.videoGeneration.generate({ videoGenerationRequest });
  await sdk.videoGeneration.getGeneration({ jobId: id });
  const { headers, body } = await told.promise;
  server.close();
  const [, time = '', signature = ''] =
    /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['x-openrouter-signature'])) ?? [];
  expect(createHmac('sha256', 'whsec_simulated').update(`${time},${body}`).digest('hex')).toBe(signature);
  expect(headers['x-openrouter-idempotency-key']).toBe(id);
  expect(JSON.parse(body)).toMatchObject({ id, status: 'completed' });
});

test('equal requests make equal pictures, sounds and films', () => {
  expect(drawSamples('seed', 1)).toEqual(drawSamples('seed', 1));
  expect(drawSamples('seed', 1)).not.toEqual(drawSamples('other', 1));
});
