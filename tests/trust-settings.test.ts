import { randomBytes } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { listKinds } from '../src/plugins.ts';
import { countRuns, payFor, send } from './support/paid-request.ts';
import { useApp, type Creator } from './support/start-app.ts';
import { openToyKind } from './support/toy-kind.ts';

/* What a creator is willing to lose, through the whole app. */
const app = useApp({}, { listKinds: (deps) => [...listKinds(deps), openToyKind()] });
let creator: Creator;

beforeAll(async () => {
  creator = await app.current.makeCreator('ada');
});

test('a creator sees the default, chooses another limit, and nobody else is touched by it', async () => {
  expect(await creator.call('GET', '/api/user/trust')).toMatchObject({
    status: 200,
    body: { maxTrustUsdPerDay: '5', openUsd: '0', lostUsd: '0' },
  });
  const put = await creator.call('PUT', '/api/user/trust', { maxTrustUsdPerDay: '0.25' });
  expect(put).toMatchObject({ status: 200, body: { maxTrustUsdPerDay: '0.25' } });
  const bob = await app.current.makeCreator('bob');
  expect((await bob.call('GET', '/api/user/trust')).body['maxTrustUsdPerDay']).toBe('5');
  await creator.call('PUT', '/api/user/trust', { maxTrustUsdPerDay: '5' });
});

test.each(['-1', '1e3', 'five', '', '1.1234567', '1000000', 5, null])('%j is no limit', async (maxTrustUsdPerDay) => {
  const refused = await creator.call('PUT', '/api/user/trust', { maxTrustUsdPerDay });
  expect(refused).toMatchObject({ status: 400, body: { code: 'invalid_input' } });
});

test('with 0 every call is paid before it runs: what fails is owed, and the same payment has it done again', async () => {
  const careful = await app.current.makeCreator('cleo');
  await careful.call('PUT', '/api/user/trust', { maxTrustUsdPerDay: '0' });
  const { url } = await careful.publish({ slug: 'essay' });
  const [buyer, topic] = [await app.current.makeBuyer(), `topic ${randomBytes(4).toString('hex')}`];
  const payment = await payFor(buyer, url);
  app.current.sandbox?.openRouter?.control.fail('ok_empty');
  const owed = await send(url, { payment, body: { topic } });
  expect(owed).toMatchObject({ status: 503, body: { code: 'answer_owed', charged: true } });
  await expect.poll(async () => (await send(url, { payment, body: { topic } })).status, { timeout: 20_000 }).toBe(200);
  expect(countRuns(app.current, topic)).toBe(2);
  expect(await app.current.balanceOf(buyer.address)).toBe(9_990_000n);
});

test('a kind that cannot be paid first turns the payment away uncharged, and its creator reads why', async () => {
  const careful = await app.current.makeCreator('dora');
  await careful.call('PUT', '/api/user/trust', { maxTrustUsdPerDay: '0' });
  const config = { template: 'About {topic}{/topic}.' };
  const { url, id } = await careful.publish({ slug: 'toy', kind: 'toy', config });
  const buyer = await app.current.makeBuyer();
  const payment = await payFor(buyer, url);
  const refused = await send(url, { payment, body: { topic: 'rivers' } });
  expect(refused).toMatchObject({ status: 429, body: { code: 'rate_limited', charged: false } });
  expect(refused.headers.get('Retry-After')).toMatch(/^\d+$/);
  const { body } = await careful.call('GET', `/api/usage?resourceId=${id}`);
  expect(body['items']).toMatchObject([
    { status: 'refused', problem: 'beyond_creator', cause: expect.stringContaining('PUT /api/user/trust') },
  ]);
  const { body: inbox } = await careful.call('GET', '/api/user/notices?event=calls_refused');
  expect(inbox['items']).toMatchObject([
    { subject: 'beyond_creator', body: expect.stringContaining('/api/user/trust') },
  ]);
  await careful.call('PUT', '/api/user/trust', { maxTrustUsdPerDay: '1' });
  expect((await send(url, { payment, body: { topic: 'rivers' } })).status).toBe(200);
});
