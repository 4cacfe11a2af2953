import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { makePng, toDataUrl } from './support/files.ts';
import { payFor, send } from './support/paid-request.ts';
import { useApp, type Creator } from './support/start-app.ts';
import { watchLoop } from './support/watch-loop.ts';
import { openFileWorld } from './support/world-of-files.ts';

const reached: string[] = [];
const internal = createServer((request, response) => {
  reached.push(request.url ?? '');
  response.end(makePng(30, 20));
});
internal.listen(0, '127.0.0.1');
await once(internal, 'listening');
const internalUrl = `http://127.0.0.1:${(internal.address() as AddressInfo).port}`;
const world = await openFileWorld();
afterAll(async () => {
  internal.close();
  await world.stop();
});
const app = useApp({ OPENROUTER_BASE_URL: world.openRouterUrl, UPSTREAM_ORIGINS: internalUrl });
let creator: Creator;
beforeAll(async () => {
  creator = await app.current.makeCreator('ada', { openRouterKey: world.key });
});

const draft = (fields: object) => ({
  slug: 'any',
  priceUsdc: '0.05',
  parameters: [{ name: 'photo', type: 'image' }],
  config: { modelId: 'google/gemini-2.5-flash', systemPrompt: 'Say what this is.', maxTokens: 50 },
  ...fields,
});

/** Signs, and has no cent. */
async function payWithNothing(url: string, body: object) {
  const buyer = privateKeyToAccount(generatePrivateKey());
  return send(url, { payment: await payFor(buyer, url), body });
}

test.each([
  ['where no such file is taken', 'image'],
  ['where such files are taken', 'pdf'],
])('a file that is made to take long holds up no other request, %s', async (_name, type) => {
  const { url } = await creator.publish(
    draft({ slug: `slow-${type}`, priceUsdc: '0.5', parameters: [{ name: 'it', type }] }),
  );
  const pdf = Buffer.from(`%PDF-1.4\n${'/ObjStm'.repeat(250_000)}`);
  const watched = watchLoop();
  const calling = payWithNothing(url, { it: toDataUrl('application/pdf', pdf) });
  expect((await fetch(new URL('/healthz', url))).status).toBe(200);
  expect(await calling).toMatchObject({ status: 400, body: { code: 'invalid_input', charged: false } });
  expect(watched.stop()).toBeLessThan(1_500);
});

test('an upload that is larger than its parameter takes is not read, however many parameters name it', async () => {
  const parameters = Array.from({ length: 20 }, (_, at) => ({
    name: `p${at}`,
    type: 'image',
    maxBytes: 100_000,
    required: false,
  }));
  const { url } = await creator.publish(draft({ slug: 'many', priceUsdc: '0.5', parameters }));
  const bytes = Buffer.concat([makePng(3, 2), Buffer.alloc(10_000_000)]);
  const uploaded = await fetch(new URL('/api/uploads', url), { method: 'POST', body: bytes });
  const { id } = (await uploaded.json()) as { id: string };
  const before = process.memoryUsage().arrayBuffers;
  const refused = await payWithNothing(url, Object.fromEntries(parameters.map(({ name }) => [name, `upload:${id}`])));
  expect(refused).toMatchObject({ status: 400, body: { code: 'invalid_input' } });
  expect(refused.body['detail']).toContain(`has ${bytes.length} bytes, and at most 100000 are taken`);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50_000_000);
});

test('a buyer reads nothing of the network in which creators may run prompts', async () => {
  const { url } = await creator.publish(draft({ slug: 'inside' }));
  const buyer = await app.current.makeBuyer();
  const direct = await send(url, { payment: await payFor(buyer, url), body: { photo: `${internalUrl}/a.png` } });
  expect(direct).toMatchObject({ status: 400, body: { code: 'invalid_input', charged: false } });
  const redirecting = world.serve('away.png', (_request, response) => {
    response.writeHead(302, { Location: `${internalUrl}/b.png` }).end();
  });
  const redirected = await send(url, { payment: await payFor(buyer, url), body: { photo: redirecting } });
  expect(redirected).toMatchObject({ status: 400, body: { code: 'invalid_input', charged: false } });
  expect(reached).toEqual([]);
});
