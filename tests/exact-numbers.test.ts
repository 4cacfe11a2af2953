import { beforeAll, expect, test } from 'vitest';
import { countRuns, payFor, send } from './support/paid-request.ts';
import { useApp, type Creator } from './support/start-app.ts';

const app = useApp();
let creator: Creator;

beforeAll(async () => {
  creator = await app.current.makeCreator('ada');
});

const publish = (slug: string, more: object = {}) =>
  creator.publish({
    slug,
    parameters: [{ name: 'number', type: 'integer', description: 'Of the ticket' }],
    config: { modelId: 'openai/gpt-4o-mini', systemPrompt: 'Describe ticket {number}{/number}.' },
    ...more,
  });

test.each([
  ['a body of JSON', '9007199254740993', ''],
  ['a query', '9007199254740995', '?number=9007199254740995'],
])('an integer beyond 2^53 reaches the prompt digit for digit from %s', async (_from, digits, query) => {
  const { url } = await publish(query === '' ? 'body' : 'query');
  const buyer = await app.current.makeBuyer();
  const body = query === '' ? { body: `{"number":${digits}}` } : { method: 'GET' };
  const answer = await send(url + query, { payment: await payFor(buyer, url), ...body });
  expect(answer).toMatchObject({ status: 200, body: { receipt: { paidUsdc: '0.01' }, finishReason: 'stop' } });
  expect(countRuns(app.current, `Describe ticket ${digits}.`)).toBe(1);
});

test('an integer beyond 2^53 is the same when an owed call is run again from what was stored', async () => {
  const { url } = await publish('owed', { settlementPoint: 'upfront' });
  const buyer = await app.current.makeBuyer();
  const payment = await payFor(buyer, url);
  const digits = '9007199254740997';
  app.current.sandbox?.openRouter?.control.fail('ok_empty');
  const body = `{"number":${digits}}`;
  expect(await send(url, { payment, body })).toMatchObject({ status: 503, body: { code: 'answer_owed' } });
  await expect
    .poll(async () => (await send(url, { payment, body })).status, { timeout: 20_000, interval: 200 })
    .toBe(200);
  expect(countRuns(app.current, `Describe ticket ${digits}.`)).toBe(2);
});
