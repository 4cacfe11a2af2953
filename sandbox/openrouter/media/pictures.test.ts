import { OpenRouter } from '@openrouter/sdk';
import type { ImageGenerationRequest } from '@openrouter/sdk/models';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { makePng, toDataUrl } from '../../../tests/support/files.ts';
import { useSimulator } from '../../../tests/support/use-simulator.ts';

/** Streams of pictures, and pictures that are sent along, read by the official client, unmodified. */

const clock = { at: Date.parse('2026-11-20T12:00:00Z'), now: () => clock.at };
const simulator = useSimulator({ clock, generationDelayMs: 0 });
let sdk: OpenRouter;

beforeAll(() => {
  sdk = new OpenRouter({
    apiKey: simulator.keys.healthy,
    serverURL: simulator.url,
    retryConfig: { strategy: 'none' },
    timeoutMs: 10_000,
  });
});
beforeEach(() => simulator.control.setLatency({ firstTokenMs: 0 }));

const COMPLETED = 'image_generation.completed';
const toPart = (bytes: Buffer) => ({ type: 'image_url' as const, imageUrl: { url: toDataUrl('image/png', bytes) } });

interface PictureEvent {
  type: string;
  b64Json?: string;
  mediaType?: string;
  text?: string;
  usage?: { cost?: number | null };
}

async function listEvents(imageGenerationRequest: ImageGenerationRequest): Promise<PictureEvent[]> {
  const events: PictureEvent[] = [];
  for await (const event of (await sdk.images.generate({ imageGenerationRequest })) as AsyncIterable<PictureEvent>) {
    events.push(event);
  }
  return events;
}

const spent = (): number => 1_000 - Number(simulator.control.getBalance(simulator.keys.healthy).creditsUsd);

describe('@openrouter/sdk', () => {
  test('reads pictures while they are made, the finished ones the same as in one answer', async () => {
    const asked = { model: 'openai/gpt-image-1', prompt: 'a lighthouse', n: 2 };
    const whole = (await sdk.images.generate({ imageGenerationRequest: asked })) as { data: { b64Json: string }[] };
    const before = spent();
    const events = await listEvents({ ...asked, stream: true });
    const type = 'image_generation.partial_image';
    expect(events.map((event) => event.type)).toEqual([type, type, COMPLETED, type, type, COMPLETED]);
    const finished = events.filter((event) => event.type === COMPLETED);
    expect(finished.map(({ b64Json }) => b64Json)).toEqual(whole.data.map(({ b64Json }) => b64Json));
    expect(events[0]?.b64Json).not.toBe(finished[0]?.b64Json);
    expect(finished.map(({ usage }) => usage?.cost)).toEqual([undefined, expect.closeTo(spent() - before, 10)]);
  });

  test('reads a drawing as it is written, and the whole of it', async () => {
    const asked = { model: 'recraft/recraft-v4', prompt: 'a lighthouse', outputFormat: 'svg' as const, stream: true };
    const events = await listEvents(asked);
    const last = events.at(-1);
    const written = events.map(({ text }) => text ?? '').join('');
    expect(last).toMatchObject({ type: COMPLETED, mediaType: 'image/svg+xml' });
    expect(Buffer.from(last?.b64Json ?? '', 'base64').toString()).toBe(written);
  });

  test('is told in the stream of pictures that are not finished, which cost nothing', async () => {
    simulator.control.fail('images_stream_error', { route: 'media' });
    const events = await listEvents({ model: 'openai/gpt-image-1', prompt: 'a lighthouse', stream: true });
    expect(events.at(-1)?.type).toBe('error');
    expect(spent()).toBe(0);
  });

  test('who streams nothing answers in one piece', async () => {
    const asked = { model: 'black-forest-labs/flux-3-image', prompt: 'a lighthouse', stream: true };
    expect(await sdk.images.generate({ imageGenerationRequest: asked })).toMatchObject({ data: [expect.anything()] });
  });

  test.each<[string, string, number]>([
    ['by the megapixel that was begun', 'black-forest-labs/flux-3-image', 0.0387 + 0.015 + 0.03],
    ['by the picture', 'sourceful/riverflow-v2-pro', 0.0387 + 2 * 0.02],
    ['at nothing', 'krea/krea-2-large', 0.0387],
  ])('pays for the pictures to go by %s, and each of them makes a difference', async (_how, model, cost) => {
    const asked = { model, prompt: 'a lighthouse' };
    const draw = async (more: object) =>
      (await sdk.images.generate({ imageGenerationRequest: { ...asked, ...more } })) as {
        data: { b64Json: string }[];
        usage: { cost: number };
      };
    const inputReferences = [toPart(makePng(10, 10)), toPart(makePng(1_100, 1_000))];
    const alone = await draw({});
    const guided = await draw({ inputReferences });
    expect(guided.usage.cost).toBeCloseTo(cost, 10);
    expect(guided.data[0]?.b64Json).not.toBe(alone.data[0]?.b64Json);
    expect((await draw({ inputReferences })).data).toEqual(guided.data);
  });

  test('draws the same with a seed again, and another with another one', async () => {
    const asked = { model: 'black-forest-labs/flux-3-image', prompt: 'a lighthouse' };
    const draw = async (seed: number) =>
      ((await sdk.images.generate({ imageGenerationRequest: { ...asked, seed } })) as { data: unknown[] }).data;
    expect(await draw(7)).toEqual(await draw(7));
    expect(await draw(7)).not.toEqual(await draw(8));
  });

  test('of two providers the first leaves out what it does not take, unless the other one is named', async () => {
    const asked = { model: 'qwen/qwen-image-3', prompt: 'a lighthouse' };
    const draw = async (more: object) =>
      ((await sdk.images.generate({ imageGenerationRequest: { ...asked, ...more } })) as { data: unknown[] }).data;
    const alone = await draw({});
    const inputReferences = [toPart(makePng(10, 10))];
    expect(await draw({ inputReferences })).toEqual(alone);
    expect(await draw({ inputReferences, provider: { only: ['simulated-plus'] } })).not.toEqual(alone);
  });

  test('pays for the pictures that a film begins with or goes by', async () => {
    const asked = {
      model: 'x-ai/grok-imagine-video',
      prompt: 'a lighthouse',
      duration: 5,
      resolution: '480p' as const,
    };
    const part = toPart(makePng(10, 10));
    for (const more of [
      { frameImages: [{ ...part, frameType: 'first_frame' as const }] },
      { inputReferences: [part] },
    ]) {
      const before = spent();
      const { id } = await sdk.videoGeneration.generate({ videoGenerationRequest: { ...asked, ...more } });
      const done = await sdk.videoGeneration.getGeneration({ jobId: id });
      expect(done.usage?.cost).toBeCloseTo(0.252, 10);
      expect(spent() - before).toBeCloseTo(0.252, 10);
    }
  });
});
