import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { refusalLimits } from '../src/gateway/trust-limits.ts';
import { countRuns, payFor, send, type Answered } from './support/paid-request.ts';
import { encodeHeader } from './support/pay.ts';
import { useApp, type Creator } from './support/start-app.ts';

/* What is refused before a call is claimed says that nothing was charged only of a payment that bought nothing. */
const app = useApp();
let ada: Creator;
let url: string;
let id: string;
/** A wallet for each payment that bought an answer: what one is refused for limits no other. */
let used: { payment: string; address: string; status: number };

const config = { modelId: 'google/gemini-2.5-flash', systemPrompt: 'Say what this is.', maxTokens: 20 };
const picture = { parameters: [{ name: 'it', type: 'image' }], config, acceptsLoss: { maxLossUsdPerCall: '1' } };

beforeAll(async () => {
  ada = await app.current.makeCreator('ada');
  ({ id, url } = await ada.publish({ slug: 'essay' }));
  await ada.publish({ slug: 'picture', ...picture });
  const bea = await app.current.makeCreator('bea');
  await bea.publish({ slug: 'keyless', payTo: ada.payTo });
  await bea.call('DELETE', '/api/user/integrations/openrouter');
  const shop = await Promise.all(['paused', 'archived', 'capped'].map((slug) => ada.publish({ slug })));
  await ada.call('POST', `/api/resources/${shop[0]?.id}/pause`);
  await ada.call('POST', `/api/resources/${shop[1]?.id}/archive`);
  await ada.call('PUT', '/api/user/spend-caps', { scope: 'resource', subject: shop[2]?.id, perDayUsd: '0.000001' });
});

beforeEach(async () => {
  const buyer = await app.current.makeBuyer();
  const payment = await payFor(buyer, url);
  used = { payment, address: buyer.address, status: (await send(url, { payment, body: { topic: 'rivers' } })).status };
});

const at = (slug: string) => url.replace('essay', slug);
const body = { topic: 'lakes' };
const chats = () => `${app.current.url}/v1/chat/completions`;
const execute = () => `${app.current.url}/api/execute`;
const say = (model: unknown, more: object = {}) => ({ model, messages: [{ role: 'user', content: 'lakes' }], ...more });
const huge = 'x'.repeat(40_000_000);
const text = { 'Content-Type': 'text/plain' };

/** The payer has had so many payments refused that another one has to wait. */
async function limitPayer(payment: string): Promise<void> {
  const { payload } = JSON.parse(Buffer.from(payment, 'base64').toString()) as {
    payload: { authorization: { from: string } };
  };
  await app.current.database.system.query(
    `INSERT INTO calls SELECT (jsonb_populate_record(NULL::calls, to_jsonb(c) || jsonb_build_object('id', gen_random_uuid(), 'state', 'refused',
       'payer', $1::text, 'uniqueness_key', gen_random_uuid(), 'reason', 'invalid_signature', 'updated_at', now(),
       'answer', null, 'settled_at', null, 'trust_usd', null))).*
     FROM (SELECT * FROM calls LIMIT 1) c, generate_series(1, $2)`,
    [payload.authorization.from.toLowerCase(), refusalLimits.perWallet],
  );
}

type Send = (payment: string) => Promise<Answered>;

const refusals: [string, Send][] = [
  ['a body that is too large', (payment) => send(url, { payment, body: { topic: huge } })],
  ['a body that is no JSON', (payment) => send(url, { payment, body: '{"topic":' })],
  ['another type of content', (payment) => send(url, { payment, body: 'lakes', headers: text })],
  ['an input that does not fit', (payment) => send(url, { payment, body: { topic: 7 } })],
  ['a method that is not served', (payment) => send(url, { payment, method: 'PUT', body })],
  ['an unknown resource', (payment) => send(at('nothing'), { payment, body })],
  ['an unknown version', (payment) => send(at('essay@9'), { payment, body })],
  ['an address that is none', (payment) => send(at('a/b/c'), { payment, body })],
  ['many inputs where one is taken', (payment) => send(at('essay/batch'), { payment, body: { inputs: [body] } })],
  ['a GET of many inputs', (payment) => send(at('essay/batch'), { payment, method: 'GET' })],
  ['a paused resource', (payment) => send(at('paused'), { payment, body })],
  ['an archived resource', (payment) => send(at('archived'), { payment, body })],
  ['a resource at its spend cap', (payment) => send(at('capped'), { payment, body })],
  ['a resource that is not ready', (payment) => send(url.replace('ada/essay', 'bea/keyless'), { payment, body })],
  ['an upload that is gone', (payment) => send(at('picture'), { payment, body: { it: `upload:${'a'.repeat(32)}` } })],
  [
    'a callback for what is answered at once',
    (payment) => send(url, { payment, body, headers: { 'X-Farebox-Callback': 'https://example.com/' } }),
  ],
  [
    'a callback that is no address',
    (payment) =>
      send(url, { payment, body, headers: { Prefer: 'respond-async', 'X-Farebox-Callback': 'nowhere at all' } }),
  ],
  ['a test by nobody', (payment) => send(url, { payment, body, headers: { 'X-Owner-Test': 'true' } })],
  [
    'the limit of refused payments',
    async (payment) => {
      await limitPayer(payment);
      return send(url, { payment, body });
    },
  ],
  [
    'a second payment header that is none',
    (payment) => send(url, { body, headers: { 'PAYMENT-SIGNATURE': 'nothing', 'X-PAYMENT': payment } }),
  ],
  ['an id that is none', (payment) => send(execute(), { payment, body: { resourceId: 7, input: body } })],
  ['an unknown id', (payment) => send(execute(), { payment, body: { resourceId: crypto.randomUUID(), input: body } })],
  ['an unknown field beside the input', (payment) => send(execute(), { payment, body: { resourceId: id, a: 1 } })],
  ['a GET by id', (payment) => send(execute(), { payment, method: 'GET' })],
  ['a chat that is too large', (payment) => send(chats(), { payment, body: say('ada/essay', { seed: huge }) })],
  ['a chat that is no JSON', (payment) => send(chats(), { payment, body: '[' })],
  ['a chat of another type of content', (payment) => send(chats(), { payment, body: 'lakes', headers: text })],
  ['a chat by another method', (payment) => send(chats(), { payment, method: 'GET' })],
  ['a chat with an unknown model', (payment) => send(chats(), { payment, body: say('ada/nothing') })],
  ['a chat with no model', (payment) => send(chats(), { payment, body: say({ toString: 1 }) })],
  ['a chat with a stream that is none', (payment) => send(chats(), { payment, body: say('ada/essay', { stream: 7 }) })],
  ['a chat that asks for tools', (payment) => send(chats(), { payment, body: say('ada/essay', { tools: [1] }) })],
  ['a chat with a paused resource', (payment) => send(chats(), { payment, body: say('ada/paused') })],
  ['a chat with a parameter too many', (payment) => send(chats(), { payment, body: say('ada/essay', { colour: 1 }) })],
];

/** Members of a problem, which OpenAI's clients read below `error`. */
const toTold = ({ body: told }: Answered) => (told['error'] ?? told) as Record<string, unknown>;
const isDenied = (told: Record<string, unknown>) =>
  told['charged'] === false || /nothing was charged/i.test(JSON.stringify(told));

describe.each(refusals)('%s', (_, refuse) => {
  test('says of a payment that bought an answer nothing but the truth', async () => {
    const refused = await refuse(used.payment);
    expect(used.status).toBe(200);
    expect(refused.status).toBeGreaterThanOrEqual(400);
    expect({ told: toTold(refused), isDenied: isDenied(toTold(refused)) }).toMatchObject({ isDenied: false });
    expect(await app.current.balanceOf(used.address)).toBe(9_990_000n);
  });

  test('charges a fresh payment nothing, and says so', async () => {
    const buyer = await app.current.makeBuyer();
    const refused = await refuse(await payFor(buyer, url));
    expect(refused.status).toBeGreaterThanOrEqual(400);
    expect(toTold(refused)).toMatchObject({ charged: false });
    expect(await app.current.balanceOf(buyer.address)).toBe(10_000_000n);
  });
});

test('of a payment that another request is using nothing is said either', async () => {
  const { control } = app.current.sandbox?.openRouter ?? {};
  const topic = 'a slow one';
  control?.setLatency({ firstTokenMs: 1_000 });
  const payment = await payFor(await app.current.makeBuyer(), url);
  const slow = send(url, { payment, body: { topic } });
  await expect.poll(() => countRuns(app.current, topic)).toBe(1);
  for (const sent of [{ topic: 7 }, '{']) {
    expect(isDenied(toTold(await send(url, { payment, body: sent })))).toBe(false);
  }
  control?.setLatency({ firstTokenMs: 0 });
  expect((await slow).status).toBe(200);
});

test('a payment that is none says nothing of another one', async () => {
  const refused = await send(url, { payment: encodeHeader({ x402Version: 3 }), body });
  expect(refused).toMatchObject({ status: 400, body: { charged: false } });
});
