import { describe, expect, test } from 'vitest';
import { makePng, toDataUrl } from './support/files.ts';
import { getChallenge } from './support/paid-request.ts';
import { download, usePictureWorld, words, type MediaFile } from './support/picture-world.ts';

/** Pictures of the buyer's that models of pictures alone and of films go by, through the whole app. */

const world = await usePictureWorld();
const photo = { name: 'photo', type: 'image', description: 'What it is made after.', maxPixels: 2_000_000 };
const style = { name: 'style', type: 'image', description: 'How it looks.', required: false, maxPixels: 2_000_000 };
const png = makePng(30, 20, 'canary of the photo');
const other = makePng(40, 20, 'canary of the style');
const toPart = (bytes: Buffer) => ({ type: 'image_url', image_url: { url: toDataUrl('image/png', bytes) } });
const FLUX = 'black-forest-labs/flux-3-image';
const GROK = 'x-ai/grok-imagine-video';

async function upload(bytes: Buffer): Promise<string> {
  const sent = await fetch(`${world.app.current.url}/api/uploads`, { method: 'POST', body: new Uint8Array(bytes) });
  return `upload:${((await sent.json()) as { id: string }).id}`;
}

describe('a picture that is made after others', () => {
  const config = { modelId: FLUX, imageConfig: { references: ['photo', 'style'] } };
  const parameters = [words, photo, style];

  test.each<[string, () => Promise<string> | string]>([
    ['data URL', () => toDataUrl('image/png', png)],
    ['URL, which only this server fetches', () => world.serve('photo.png', png)],
    ['upload', () => upload(png)],
  ])('is sold for the very bytes that were given by %s', async (how, give) => {
    const { id, url } = await world.publish(`after-${how.split(/\W/)[0]?.toLowerCase()}`, config, { parameters });
    const bought = await world.buy(url, { words: 'a lighthouse', photo: await give() });
    expect(bought).toMatchObject({ status: 200, paid: 4_000_000n, body: { receipt: { paidUsdc: '4' } } });
    expect((bought.body['images'] as MediaFile[])[0]).toMatchObject({ contentType: 'image/png' });
    expect(world.findOrder()).toEqual({ model: FLUX, prompt: 'Show a lighthouse', input_references: [toPart(png)] });
    expect(bought.costUsd).toBeCloseTo(0.0387 + 0.015, 9);
    const { costUsd, worstCostUsd } = await world.findLogged(id);
    expect(costUsd).toBeCloseTo(bought.costUsd, 9);
    // One of the two was sent, of up to two megapixels.
    expect(worstCostUsd).toBeCloseTo(0.0387 + 0.03, 9);
  });

  test('is made after all that were given, in the order of the config', async () => {
    const { url } = await world.publish('after-both', config, { parameters });
    const given = { style: toDataUrl('image/png', other), photo: toDataUrl('image/png', png) };
    const { status, costUsd } = await world.buy(url, { words: 'a sea', ...given });
    expect(status).toBe(200);
    expect(world.findOrder()['input_references']).toEqual([toPart(png), toPart(other)]);
    expect(costUsd).toBeCloseTo(0.0387 + 0.03, 9);
  });

  test('is told by name in the prompt where its tag stands there', async () => {
    const tagged = { ...config, systemPrompt: 'Paint {photo}{/photo} as {words}{/words}, like {style}{/style}.' };
    const { url } = await world.publish('after-tagged', tagged, { parameters });
    expect((await world.buy(url, { words: 'a sea', photo: toDataUrl('image/png', png) })).status).toBe(200);
    expect(world.findOrder()['prompt']).toBe('Paint [photo] as a sea, like .');
  });

  test('is asked of those providers alone that look at them', async () => {
    const draft = { modelId: 'qwen/qwen-image-3', imageConfig: { references: ['style'] } };
    const { id, url } = await world.publish('after-by-one', draft, { parameters: [words, style] });
    const draw = async (body: object): Promise<Buffer> => {
      const { status, body: answer } = await world.buy(url, { words: 'a sea', ...body });
      expect(status).toBe(200);
      return download((answer['images'] as [MediaFile])[0]);
    };
    const alone = await draw({});
    const guided = await draw({ style: toDataUrl('image/png', other) });
    expect(world.findOrder()['provider']).toEqual({ only: ['simulated-plus'] });
    expect(guided.equals(alone)).toBe(false);
    const { costUsd, worstCostUsd } = await world.findLogged(id);
    expect(costUsd).toBeLessThanOrEqual(worstCostUsd);
    expect(costUsd).toBeCloseTo(0.0387 * 1.25, 9);
  });

  test('is asked of the providers that its creator names, at their price alone', async () => {
    const provider = { only: ['simulated-plus'], allowFallbacks: false };
    const { id, url } = await world.publish(
      'by-named',
      { modelId: 'qwen/qwen-image-3', provider },
      { parameters: [words] },
    );
    expect((await world.buy(url, { words: 'a sea' })).status).toBe(200);
    expect(world.findOrder()['provider']).toEqual({ only: ['simulated-plus'], allow_fallbacks: false });
    const { costUsd, worstCostUsd } = await world.findLogged(id);
    expect([costUsd, worstCostUsd]).toEqual([0.048375, 0.048375]);
  });

  test('is told to buyers with its limits and with what becomes of it', async () => {
    const { id, url } = await world.publish('after-told', config, { parameters });
    const { extensions } = await getChallenge(url);
    expect(JSON.stringify(extensions)).toContain('"x-media":{"type":"image"');
    const { body } = await world.creator().call('GET', `/api/resources/${id}`);
    expect(body['published']).toMatchObject({
      details: { pictures: { photo: 'reference', style: 'reference' } },
      inputSchema: { properties: { photo: { format: 'uri', 'x-media': { maxPixels: 2_000_000 } } } },
    });
    const openApi = await (await fetch(`${world.app.current.url}/api/resources/${id}/openapi.json`)).text();
    expect(openApi).toContain('"x-media":{"type":"image"');
  });

  test('is quoted by what is sent: typically what always is, at worst what may be', async () => {
    const { id } = await world.publish('after-quoted', config, { parameters });
    const { body } = await world.creator().call('GET', `/api/resources/${id}`);
    expect(body['cost']).toMatchObject({ published: { typicalCostUsd: '0.0537', worstCostUsd: '0.0987' } });
    const input = { words: 'a sea', photo: toDataUrl('image/png', png) };
    const quote = await world.creator().call('POST', `/api/resources/${id}/quote`, { input });
    expect(quote.body).toMatchObject({ cost: { typicalUsd: '0.0537', worstUsd: '0.0687' } });
  });

  test.each<[string, () => string, string]>([
    ['is a text', () => toDataUrl('image/png', Buffer.from('<html>no picture</html>')), 'and taken are'],
    ['is a sound', () => toDataUrl('audio/wav', Buffer.from('RIFF    WAVEfmt ')), 'and taken are'],
    ['has no bytes', () => 'data:image/png;base64,', 'photo'],
    ['has too many pixels', () => toDataUrl('image/png', makePng(2_001, 1_000)), 'at most 2000000 are taken'],
    ['has too many bytes', () => world.serve('long', Buffer.alloc(50_001)), 'more than 50000 bytes'],
    ['is not there', () => world.serve('gone', Buffer.alloc(0)), 'photo'],
  ])('is not made where what was given %s: nothing is ordered, nobody is charged', async (what, give, says) => {
    const slug = `after-what-${what.replaceAll(' ', '-')}`;
    const strict = { parameters: [words, { ...photo, maxBytes: 50_000 }] };
    const { url } = await world.publish(slug, { modelId: FLUX, imageConfig: { references: ['photo'] } }, strict);
    const ordered = world.orders.length;
    const { status, body, paid, costUsd } = await world.buy(url, { words: 'a sea', photo: give() });
    expect([status, body['charged'], paid, costUsd]).toEqual([400, false, 0n, 0]);
    expect(JSON.stringify(body)).toContain(says);
    expect(world.orders).toHaveLength(ordered);
  });
});

describe('a film', () => {
  const frames = [words, { ...photo, name: 'start' }, { ...style, name: 'end' }];
  const given = { start: toDataUrl('image/png', png), end: toDataUrl('image/png', other) };

  test('begins and ends with the pictures that were given', async () => {
    const video = { durationSeconds: 5, resolution: '720p', firstFrame: 'start', lastFrame: 'end' };
    const { id, url } = await world.publish('framed', { modelId: 'google/veo-3.1', video }, { parameters: frames });
    const { status, body, paid } = await world.buy(url, { words: 'a sea', ...given });
    expect([status, paid, (body['video'] as MediaFile).contentType]).toEqual([200, 4_000_000n, 'video/mp4']);
    expect(world.findOrder()).toEqual({
      model: 'google/veo-3.1',
      prompt: 'Show a sea',
      duration: 5,
      resolution: '720p',
      frame_images: [
        { ...toPart(png), frame_type: 'first_frame' },
        { ...toPart(other), frame_type: 'last_frame' },
      ],
    });
    expect(await world.findLogged(id)).toMatchObject({ costUsd: 1, worstCostUsd: 1 });
    const shown = await world.creator().call('GET', `/api/resources/${id}`);
    expect(shown.body['published']).toMatchObject({
      details: { pictures: { start: 'first_frame', end: 'last_frame' } },
    });
  });

  test('that may begin with a picture begins without one where none is given', async () => {
    const video = { durationSeconds: 5, lastFrame: 'end' };
    const parameters = [words, { ...style, name: 'end' }];
    const { url } = await world.publish('perhaps', { modelId: 'google/veo-3.1', video }, { parameters });
    expect((await world.buy(url, { words: 'a sea' })).status).toBe(200);
    expect(world.findOrder()).not.toHaveProperty('frame_images');
  });

  test.each<[string, object, string]>([
    ['begins with', { firstFrame: 'photo' }, 'frame_images'],
    ['goes by', { references: ['photo'] }, 'input_references'],
  ])('that %s a picture costs its creator that too, which was told before', async (what, more, member) => {
    const video = { durationSeconds: 5, resolution: '480p', ...more };
    const draft = { modelId: GROK, video };
    const { id, url } = await world.publish(`film-${what.replace(' ', '-')}`, draft, { parameters: [words, photo] });
    const { status, costUsd } = await world.buy(url, { words: 'a sea', photo: toDataUrl('image/png', png) });
    expect(status).toBe(200);
    expect(world.findOrder()).toHaveProperty(member);
    expect(costUsd).toBeCloseTo(0.252, 9);
    expect(await world.findLogged(id)).toEqual({ costUsd: 0.252, worstCostUsd: 0.252 });
  });

  test('that begins with a picture is made behind a 202 as well, and paid once', async () => {
    const video = { durationSeconds: 5, resolution: '480p', firstFrame: 'photo' };
    const { url } = await world.publish('film-later', { modelId: GROK, video }, { parameters: [words, photo] });
    const input = { words: 'a sea', photo: world.serve('later.png', png) };
    const accepted = await world.buy(url, input, { Prefer: 'respond-async' });
    expect(accepted.status).toBe(202);
    const { statusUrl, statusToken } = accepted.body as { statusUrl: string; statusToken: string };
    const follow = async (path: string) => {
      const headers = { Authorization: `Bearer ${statusToken}`, Prefer: 'wait=30' };
      return (await (await fetch(`${statusUrl}${path}`, { headers })).json()) as Record<string, unknown>;
    };
    await expect.poll(async () => (await follow(''))['state'], { timeout: 30_000 }).toBe('succeeded');
    expect(await follow('/result')).toMatchObject({ video: { contentType: 'video/mp4' }, receipt: { paidUsdc: '4' } });
    expect(world.findOrder()['frame_images']).toEqual([{ ...toPart(png), frame_type: 'first_frame' }]);
  });
});

test('no picture or film costs its creator more than was told, whatever pictures are sent along', async () => {
  const references = ['photo', 'style'];
  const dear: [string, object][] = [
    ['dear-tokens', { modelId: 'openai/gpt-image-1', imageConfig: { references, n: 2 } }],
    ['dear-pictures', { modelId: 'sourceful/riverflow-v2-pro', imageConfig: { references } }],
    ['dear-megapixels', { modelId: FLUX, imageConfig: { references, imageSize: '2K' } }],
    ['dear-film', { modelId: GROK, video: { durationSeconds: 8, resolution: '720p', references } }],
  ];
  const largest = toDataUrl('image/png', makePng(2_000, 1_000));
  for (const [slug, config] of dear) {
    const { id, url } = await world.publish(slug, config, { parameters: [words, photo, style] });
    const { status } = await world.buy(url, { words: '\u{1F30A}'.repeat(200), photo: largest, style: largest });
    expect(status).toBe(200);
    const { costUsd, worstCostUsd } = await world.findLogged(id);
    expect(costUsd).toBeGreaterThan(0);
    expect(worstCostUsd).toBeGreaterThanOrEqual(costUsd);
  }
});
