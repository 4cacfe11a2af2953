import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeMp4, makePdf, makePng, makeWav, toDataUrl } from './support/files.ts';
import { payFor, send } from './support/paid-request.ts';
import { useApp, type Creator } from './support/start-app.ts';
import { openFileWorld, type WirePart } from './support/world-of-files.ts';

const world = await openFileWorld();
afterAll(() => world.stop());
const app = useApp({ OPENROUTER_BASE_URL: world.openRouterUrl });
const READS_ALL = 'google/gemini-2.5-flash';
let creator: Creator;

beforeAll(async () => {
  creator = await app.current.makeCreator('ada', { openRouterKey: world.key });
});

const files = {
  image: { contentType: 'image/png', bytes: makePng(30, 20) },
  audio: { contentType: 'audio/wav', bytes: makeWav(2) },
  video: { contentType: 'video/mp4', bytes: makeMp4(3) },
  pdf: { contentType: 'application/pdf', bytes: makePdf(2) },
  file: { contentType: 'application/pdf', bytes: makePdf(4, { packed: true }) },
};
type Type = keyof typeof files;

function publish(slug: string, parameters: object[], config: object = {}) {
  return creator.publish({
    slug,
    priceUsdc: '0.1',
    parameters,
    config: { modelId: READS_ALL, systemPrompt: 'Say what this is.', maxTokens: 50, ...config },
  });
}

async function buy(url: string, body: Record<string, unknown>) {
  const buyer = await app.current.makeBuyer();
  const payment = await payFor(buyer, url);
  const answer = await send(url, { payment, body });
  const spent = 10_000_000n - (await app.current.balanceOf(buyer.address));
  return { answer, spent, payment };
}

const toPart: Record<Type, (bytes: Buffer) => WirePart> = {
  image: (bytes) => ({ type: 'image_url', image_url: { url: toDataUrl('image/png', bytes) } }),
  audio: (bytes) => ({ type: 'input_audio', input_audio: { data: bytes.toString('base64'), format: 'wav' } }),
  video: (bytes) => ({ type: 'video_url', video_url: { url: toDataUrl('video/mp4', bytes) } }),
  pdf: (bytes) => ({ type: 'file', file: { filename: 'it.pdf', file_data: toDataUrl('application/pdf', bytes) } }),
  file: (bytes) => ({ type: 'file', file: { filename: 'it.pdf', file_data: toDataUrl('application/pdf', bytes) } }),
};

describe.each(Object.keys(files) as Type[])('a parameter of type %s', (type) => {
  const { contentType, bytes } = files[type];
  let url: string;
  beforeAll(async () => {
    url = (await publish(`reads-${type}`, [{ name: 'it', type }])).url;
  });

  test('is paid for and answered by its data URL, and the model gets the very bytes', async () => {
    const { answer, spent } = await buy(url, { it: toDataUrl(contentType, bytes) });
    expect(answer).toMatchObject({ status: 200, body: { receipt: { paidUsdc: '0.1' } } });
    expect(spent).toBe(100_000n);
    const sent = [{ type: 'text', text: 'Say what this is.' }, toPart[type](bytes)];
    expect(world.chats.at(-1)?.messages).toEqual([{ role: 'user', content: sent }]);
  });

  test('is paid for and answered by its URL, which only this server fetches', async () => {
    const name = `a-${type}`;
    const { answer, spent } = await buy(url, { it: world.serve(name, bytes) });
    expect(answer.status).toBe(200);
    expect(spent).toBe(100_000n);
    expect(world.fetched.filter((one) => one === name)).toEqual([name]);
    const { content } = world.chats.at(-1)?.messages[0] ?? {};
    expect(content).toContainEqual(toPart[type](bytes));
  });

  test('is told in the 402 as a URI with its limits', async () => {
    const { headers } = await send(url);
    const told = Buffer.from(headers.get('PAYMENT-REQUIRED') ?? '', 'base64').toString();
    expect(told).toContain('"format":"uri"');
    expect(told).toContain(`"x-media":{"type":"${type}"`);
  });

  test('that is something else is refused before money moves, by data URL and by URL', async () => {
    const other = type === 'image' ? files.pdf : files.image;
    const values = [toDataUrl(contentType, other.bytes), world.serve(`not-${type}`, other.bytes)];
    for (const it of values) {
      const { answer, spent } = await buy(url, { it });
      expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_input', charged: false } });
      expect(JSON.stringify(answer.body)).toContain(`is ${other.contentType}, and taken are:`);
      expect(spent).toBe(0n);
    }
  });
});
