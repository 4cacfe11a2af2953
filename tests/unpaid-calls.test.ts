import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { countRuns, send } from './support/paid-request.ts';
import { useApp, type Creator } from './support/start-app.ts';

const app = useApp();
const ownerTest = { 'X-Owner-Test': 'true' };
let creator: Creator;
let resource: { id: string; url: string };

beforeAll(async () => {
  creator = await app.current.makeCreator('ada');
  resource = await creator.publish({ slug: 'essay' });
});

const newTopic = () => `unpaid ${randomBytes(4).toString('hex')}`;
const executeUrl = () => `${app.current.url}/api/execute`;

async function makeApiKey(owner: Creator, scopes: string[]): Promise<string> {
  const { status, body } = await owner.call('POST', '/api/user/api-keys', { label: 'test', scopes });
  expect(status).toBe(201);
  return `Bearer ${String(body['secret'])}`;
}

async function readUsage(owner: Creator, resourceId: string) {
  const { body } = await owner.call('GET', `/api/usage?resourceId=${resourceId}`);
  return body['items'] as Record<string, unknown>[];
}

async function readStats(resourceId: string) {
  const { body } = await creator.call('GET', `/api/resources/${resourceId}`);
  return body['stats'];
}

const noStats = { call_count: 0, success_count_30d: 0, failure_count_30d: 0, total_earned_usdc: '0' };

describe('the test of the owner', () => {
  test.each(['session', 'API key'])(
    'a test call of the owner with the %s runs without a payment, logged and not counted',
    async (by) => {
      const { url, id } = await creator.publish({ slug: `by-${by.toLowerCase().replace(' ', '-')}` });
      const headers =
        by === 'session'
          ? { ...ownerTest, Cookie: creator.cookie }
          : { ...ownerTest, Authorization: await makeApiKey(creator, ['resources:write']) };
      const topic = newTopic();
      const byUrl = await send(url, { headers, body: { topic } });
      const byId = await send(executeUrl(), { headers, body: { resourceId: id, input: { topic } } });
      for (const answer of [byUrl, byId]) {
        expect(answer).toMatchObject({
          status: 200,
          body: { test: true, simulated: true, response: expect.any(String) },
          settlement: null,
        });
        expect(answer.body['receipt']).toMatchObject({ paidUsdc: '0', transaction: null, payer: null, resource: url });
      }
      expect(countRuns(app.current, topic)).toBe(2);
      const usage = await readUsage(creator, id);
      expect(usage).toMatchObject([
        { isTest: true, isFree: false, status: 'success', earnedUsdc: '0', payer: null },
        { isTest: true, isFree: false, status: 'success', earnedUsdc: '0', payer: null },
      ]);
      expect(await readStats(id)).toMatchObject(noStats);
    },
  );

  test('a test call is refused to everybody but the owner, and nothing runs', async () => {
    const mallory = await app.current.makeCreator('mallory');
    const topic = newTopic();
    const body = { topic };
    const cases: [number, string, Record<string, string>][] = [
      [401, 'unauthenticated', {}],
      [401, 'unauthenticated', { Authorization: `Bearer fbx_${'0'.repeat(40)}` }],
      [403, 'forbidden', { Cookie: mallory.cookie }],
      [403, 'forbidden', { Authorization: await makeApiKey(mallory, ['resources:write']) }],
      [403, 'forbidden', { Authorization: await makeApiKey(creator, ['usage:read']) }],
    ];
    for (const [status, code, headers] of cases) {
      expect(await send(resource.url, { headers: { ...ownerTest, ...headers }, body })).toMatchObject({
        status,
        body: { code },
      });
      const byId = { resourceId: resource.id, input: body };
      expect(await send(executeUrl(), { headers: { ...ownerTest, ...headers }, body: byId })).toMatchObject({ status });
    }
    expect(countRuns(app.current, topic)).toBe(0);
    expect(await readUsage(creator, resource.id)).toEqual([]);
  });

  test('being the owner is not enough: without the header the owner pays too', async () => {
    const answer = await send(resource.url, { cookie: creator.cookie, body: { topic: newTopic() } });
    expect(answer.status).toBe(402);
  });

  test('a test call shows the owner the cause of a failure', async () => {
    const { url, id } = await creator.publish({ slug: 'failing' });
    app.current.sandbox?.openRouter?.control.fail('ok_reasoning_starved');
    const answer = await send(url, { headers: ownerTest, cookie: creator.cookie, body: { topic: newTopic() } });
    expect(answer).toMatchObject({
      status: 502,
      body: { detail: expect.stringMatching(/failed: The model only reasoned/) },
    });
    expect(await readUsage(creator, id)).toMatchObject([{ isTest: true, status: 'failed' }]);
    expect(await readStats(id)).toMatchObject(noStats);
  });
});

describe('by id', () => {
  test.each<[string, unknown, { status: number; body: { code: string } }]>([
    ['no body', undefined, { status: 400, body: { code: 'invalid_input' } }],
    ['no id', { input: {} }, { status: 400, body: { code: 'invalid_input' } }],
    ['an id that is none', { resourceId: '../etc', input: {} }, { status: 400, body: { code: 'invalid_input' } }],
    [
      'an unknown id',
      { resourceId: '0197a3f0-0000-7000-8000-000000000000', input: {} },
      { status: 404, body: { code: 'not_found' } },
    ],
  ])('a call by id with %s is refused', async (_, body, refusal) => {
    expect(await send(executeUrl(), { body })).toMatchObject(refusal);
  });

  test('a call by id is a POST: other methods answer 405', async () => {
    const answer = await send(executeUrl(), { method: 'GET' });
    expect(answer).toMatchObject({ status: 405, body: { code: 'method_not_allowed' } });
    expect(answer.headers.get('Allow')).toBe('POST');
  });
});

describe('a free resource', () => {
  test('a free resource answers anybody without a payment, logged as free', async () => {
    const { url, id } = await creator.publish({ slug: 'gift', priceUsdc: '0' });
    const topic = newTopic();
    const posted = await send(url, { body: { topic } });
    const gotten = await send(`${url}?topic=${encodeURIComponent(topic)}`, { method: 'GET' });
    const byId = await send(executeUrl(), { body: { resourceId: id, input: { topic } } });
    for (const answer of [posted, gotten, byId]) {
      expect(answer).toMatchObject({ status: 200, body: { receipt: { paidUsdc: '0', transaction: null } } });
      expect(answer.body).not.toHaveProperty('test');
    }
    expect(countRuns(app.current, topic)).toBe(3);
    expect(await readUsage(creator, id)).toMatchObject(
      Array.from({ length: 3 }, () => ({ isFree: true, isTest: false, status: 'success', payer: null })),
    );
    expect(await readStats(id)).toMatchObject({ call_count: 3, success_count_30d: 3, total_earned_usdc: '0' });
  });

  test('a free resource refuses wrong input', async () => {
    const { url } = await creator.publish({ slug: 'picky', priceUsdc: '0' });
    expect(await send(url, { body: {} })).toMatchObject({ status: 400, body: { code: 'invalid_input' } });
  });

  test('a free resource is limited by the minute', async () => {
    const { url, id } = await creator.publish({ slug: 'popular', priceUsdc: '0' });
    const answers = await Promise.all(Array.from({ length: 40 }, () => send(url, { body: { topic: newTopic() } })));
    const refused = answers.filter(({ status }) => status === 429);
    expect(answers.filter(({ status }) => status === 200).length).toBe(30);
    expect(refused.length).toBe(10);
    expect(refused[0]?.body).toMatchObject({ code: 'rate_limited' });
    expect(Number(refused[0]?.headers.get('Retry-After'))).toBeGreaterThan(0);
    expect(await readStats(id)).toMatchObject({ call_count: 30 });
  });
});
