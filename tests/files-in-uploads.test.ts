import { afterAll, beforeAll, expect, test } from 'vitest';
import { makePng, makeWav, toDataUrl } from './support/files.ts';
import { payFor, send } from './support/paid-request.ts';
import { useApp } from './support/start-app.ts';
import { openFileWorld } from './support/world-of-files.ts';

const world = await openFileWorld();
afterAll(() => world.stop());
const app = useApp({ OPENROUTER_BASE_URL: world.openRouterUrl });
const png = makePng(30, 20);
let url: string;

beforeAll(async () => {
  const creator = await app.current.makeCreator('ada', { openRouterKey: world.key });
  const published = await creator.publish({
    slug: 'reads-image',
    priceUsdc: '0.1',
    parameters: [{ name: 'it', type: 'image' }],
    config: { modelId: 'google/gemini-2.5-flash', systemPrompt: 'Say what this is.', maxTokens: 50 },
  });
  ({ url } = published);
});

async function upload(bytes: Buffer): Promise<string> {
  const sent = await fetch(`${app.current.url}/api/uploads`, { method: 'POST', body: new Uint8Array(bytes) });
  const { id } = (await sent.json()) as { id: string };
  return `upload:${id}`;
}

async function buy(it: string) {
  const buyer = await app.current.makeBuyer();
  const answer = await send(url, { payment: await payFor(buyer, url), body: { it } });
  return { answer, spent: 10_000_000n - (await app.current.balanceOf(buyer.address)) };
}

test('what was uploaded before is what the model reads, for everybody who names it', async () => {
  const it = await upload(png);
  for (const _ of ['once', 'and again, by another wallet']) {
    const { answer, spent } = await buy(it);
    expect(answer).toMatchObject({ status: 200, body: { receipt: { paidUsdc: '0.1' } } });
    expect(spent).toBe(100_000n);
    const { content } = world.chats.at(-1)?.messages[0] ?? {};
    expect(content).toContainEqual({ type: 'image_url', image_url: { url: toDataUrl('image/png', png) } });
  }
});

test.each<[string, () => Promise<string> | string]>([
  ['has expired', async () => expire(await upload(png))],
  ['nobody has made', () => `upload:${'a'.repeat(32)}`],
  ['is of another type', () => upload(makeWav(1))],
  ['is cut off', () => upload(png.subarray(0, 40))],
])('an upload that %s costs nobody anything, and the refusal names the parameter', async (_name, make) => {
  const asked = world.chats.length;
  const { answer, spent } = await buy(await make());
  expect(answer.status).toBeOneOf([400, 422]);
  expect(answer.body).toMatchObject({ charged: false, errors: [{ path: '/it' }] });
  expect(spent).toBe(0n);
  expect(world.chats).toHaveLength(asked);
});

async function expire(it: string): Promise<string> {
  await app.current.database.system.query(
    `UPDATE media_uploads SET created_at = now() - interval '2 hours', expires_at = now() - interval '1 hour'`,
  );
  return it;
}
