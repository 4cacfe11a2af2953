import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { makePng, toDataUrl } from './support/files.ts';
import { download, usePictureWorld, words, type MediaFile } from './support/picture-world.ts';

/** Settings of pictures and films that buyers fill, and answers of their models that nobody pays for, through the whole app. */

const world = await usePictureWorld();
const FLUX = 'black-forest-labs/flux-3-image';
const OPENAI = 'openai/gpt-image-1';
const seed = {
  name: 'seed',
  type: 'integer',
  description: 'The same again.',
  minimum: 0,
  maximum: 99,
  required: false,
};
const png = makePng(30, 20);
const photo = { name: 'photo', type: 'image', description: 'What it is made after.' };

async function draw(url: string, body: object): Promise<Buffer> {
  const bought = await world.buy(url, { words: 'a sea', ...body });
  expect(bought).toMatchObject({ status: 200, paid: 4_000_000n });
  return download((bought.body['images'] as [MediaFile])[0]);
}

describe('a setting', () => {
  test('that is fixed in a version is sent with every call', async () => {
    const imageConfig = {
      quality: 'high',
      background: 'opaque',
      outputFormat: 'webp',
      outputCompression: 70,
      aspectRatio: '3:2',
      imageSize: '2K',
    };
    const { url } = await world.publish('fixed', { modelId: OPENAI, imageConfig }, { parameters: [words] });
    await draw(url, {});
    expect(world.findOrder()).toEqual({
      model: OPENAI,
      prompt: 'Show a sea',
      quality: 'high',
      background: 'opaque',
      output_format: 'webp',
      output_compression: 70,
      aspect_ratio: '3:2',
      resolution: '2K',
    });
  });

  test('that a buyer fills takes the place of the fixed one: the same seed is the same picture', async () => {
    const imageConfig = { seed: 5, filledBy: { seed: 'seed' } };
    const { url } = await world.publish('seeded', { modelId: FLUX, imageConfig }, { parameters: [words, seed] });
    const fixed = await draw(url, {});
    expect(world.findOrder()['seed']).toBe(5);
    const chosen = await draw(url, { seed: 7 });
    expect(world.findOrder()['seed']).toBe(7);
    expect(chosen.equals(fixed)).toBe(false);
    expect((await draw(url, { seed: 7 })).equals(chosen)).toBe(true);
  });

  test('that a buyer fills shapes and compresses the picture', async () => {
    const shape = { name: 'shape', type: 'enum', description: 'Of the picture.', options: ['1:1', '3:4'] };
    const quality = { name: 'kept', type: 'integer', description: 'Of the detail.', minimum: 10, maximum: 90 };
    const imageConfig = { outputFormat: 'jpeg', filledBy: { aspectRatio: 'shape', outputCompression: 'kept' } };
    const parameters = [words, shape, quality];
    const { url } = await world.publish('shaped', { modelId: OPENAI, imageConfig }, { parameters });
    const picture = await draw(url, { shape: '3:4', kept: 40 });
    expect(world.findOrder()).toMatchObject({ aspect_ratio: '3:4', output_compression: 40, output_format: 'jpeg' });
    expect([picture.readUInt32BE(16), picture.readUInt32BE(20)]).toEqual([864, 1_184]);
  });

  test.each<[string, unknown]>([
    ['is out of its bounds', 100],
    ['is no integer', 1.5],
    ['is a text', 'seven'],
  ])('that a buyer fills and that %s is refused before money moves', async (what, value) => {
    const imageConfig = { filledBy: { seed: 'seed' } };
    const slug = `odd-seed-${what.replaceAll(' ', '-')}`;
    const { url } = await world.publish(slug, { modelId: FLUX, imageConfig }, { parameters: [words, seed] });
    const ordered = world.orders.length;
    const { status, body, paid, costUsd } = await world.buy(url, { words: 'a sea', seed: value });
    expect([status, body['charged'], paid, costUsd]).toEqual([400, false, 0n, 0]);
    expect(world.orders).toHaveLength(ordered);
  });

  test('of a film is filled by a buyer too', async () => {
    const shape = { name: 'shape', type: 'enum', description: 'Of the film.', options: ['16:9', '9:16'] };
    const video = { durationSeconds: 5, seed: 3, filledBy: { seed: 'seed', aspectRatio: 'shape' } };
    const draft = { modelId: 'google/veo-3.1', video };
    const { url } = await world.publish('film-filled', draft, { parameters: [words, seed, shape] });
    expect((await world.buy(url, { words: 'a sea', seed: 9, shape: '9:16' })).status).toBe(200);
    expect(world.findOrder()).toMatchObject({ seed: 9, aspect_ratio: '9:16' });
  });
});

const json = (body: unknown) => (response: ServerResponse) =>
  void response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
const file = (contentType: string, bytes: Buffer) => (response: ServerResponse) =>
  void response.writeHead(200, { 'Content-Type': contentType }).end(bytes);
const picture = (bytes: Buffer) => json({ created: 1, data: [{ b64_json: bytes.toString('base64') }] });
const stream = (events: unknown[], ending = 'data: [DONE]\n\n') =>
  file(
    'text/event-stream',
    Buffer.from(`${events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')}${ending}`),
  );
const partial = { type: 'image_generation.partial_image', partial_image_index: 0, b64_json: png.toString('base64') };
const completed = { type: 'image_generation.completed', b64_json: png.toString('base64'), created: 1 };
const guided = { modelId: FLUX, imageConfig: { references: ['photo'] } };

describe('a picture that was made after another', () => {
  test.each<[string, (response: ServerResponse) => void]>([
    ['a page', picture(Buffer.from('<html>no picture</html>'))],
    ['no bytes', picture(Buffer.alloc(0))],
    ['half a picture', picture(png.subarray(0, 40))],
    ['a film', picture(Buffer.from('\0\0\0\x18ftypmp42\0\0\0\0mp42isom'))],
    ['more than 20 MB', picture(Buffer.concat([png, Buffer.alloc(20_000_001)]))],
    ['no picture', json({ created: 1, data: [] })],
    ['an error', json({ error: { code: 502, message: 'no' } })],
    ['drafts alone', stream([partial])],
    ['a stream that breaks off', stream([partial, completed], '')],
    ['an error in a stream', stream([partial, { type: 'error', error: { message: 'no', code: 'server_error' } }])],
  ])('is not sold where there is %s', async (what, answer) => {
    const slug = `guided-${what.replaceAll(' ', '-').toLowerCase()}`;
    const { url } = await world.publish(slug, guided, { parameters: [words, photo] });
    world.answerNext(/^POST \/images$/, answer);
    const bought = await world.buy(url, { words: 'a sea', photo: toDataUrl('image/png', png) });
    expect([bought.status, bought.body['charged'], bought.paid]).toEqual([502, false, 0n]);
  });

  test('is sold as it is finished where it comes in a stream that nobody asked for', async () => {
    const { id, url } = await world.publish('streamed', guided, { parameters: [words, photo] });
    const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3, cost: 0.05 };
    const draft = { ...partial, b64_json: makePng(8, 8).toString('base64') };
    world.answerNext(/^POST \/images$/, stream([draft, { ...completed, usage }]));
    const bought = await world.buy(url, { words: 'a sea', photo: toDataUrl('image/png', png) });
    expect(bought).toMatchObject({ status: 200, paid: 4_000_000n, body: { images: [{ width: 30, height: 20 }] } });
    expect((await world.findLogged(id)).costUsd).toBe(0.05);
  });
});

test('what the upstream repeats of a picture is told to nobody', async () => {
  const { id, url } = await world.publish('echoed', guided, { parameters: [words, photo] });
  const echo = png.toString('base64').slice(0, 50);
  const error = { error: { code: 400, message: `Bad image data:image/png;base64,${echo}` } };
  world.answerNext(/^POST \/images$/, (response) => void response.writeHead(400).end(JSON.stringify(error)));
  const bought = await world.buy(url, { words: 'a sea', photo: toDataUrl('image/png', png) });
  expect([bought.body['charged'], bought.paid, bought.costUsd]).toEqual([false, 0n, 0]);
  const { body } = await world.creator().call('GET', `/api/usage?resourceId=${id}`);
  expect(body['items']).toHaveLength(1);
  expect(JSON.stringify([body, bought.body])).not.toContain(echo.slice(20, 40));
});

describe('a film that begins with a picture', () => {
  test.each<[string, (response: ServerResponse) => void]>([
    ['a page', file('video/mp4', Buffer.from('<html>no film</html>'))],
    ['no bytes', file('video/mp4', Buffer.alloc(0))],
    ['a picture', file('video/mp4', png)],
    ['a text', file('application/json', Buffer.from('{}'))],
  ])('is not sold where there is %s', async (what, answer) => {
    const video = { durationSeconds: 5, firstFrame: 'photo' };
    const slug = `framed-${what.replaceAll(' ', '-')}`;
    const { url } = await world.publish(slug, { modelId: 'google/veo-3.1', video }, { parameters: [words, photo] });
    world.answerNext(/^GET \/videos\/[\w-]+\/content/, answer);
    const bought = await world.buy(url, { words: 'a sea', photo: toDataUrl('image/png', png) });
    expect([bought.status, bought.body['charged'], bought.paid]).toEqual([502, false, 0n]);
  });
});
