import { beforeAll, expect, test } from 'vitest';
import { demoKeys } from '../sandbox/openrouter/demo-keys.ts';
import { payFor, send } from './support/paid-request.ts';
import { useApp, type Creator } from './support/start-app.ts';

const COVERED = 'ada,bob,carl,fay,needs-presetoperat,needs-openaigpt4om,needs-openrouterau';
const app = useApp({ OPENROUTER_API_KEY: demoKeys.freeTier, OPENROUTER_API_KEY_CREATORS: COVERED });
const path = '/api/user/integrations/openrouter';
let ada: Creator;

beforeAll(async () => {
  app.current.sandbox?.openRouter?.control.setCredits(demoKeys.freeTier, '50');
  ada = await app.current.makeCreator('ada');
});

async function buy(url: string): Promise<number> {
  const buyer = await app.current.makeBuyer();
  return (await send(url, { payment: await payFor(buyer, url), body: { topic: 'whose key' } })).status;
}

test("a covered creator who deletes an own key goes on selling with the operator's, and each call says whose key paid", async () => {
  const { id, url } = await ada.publish({ slug: 'essay' });
  expect(await buy(url)).toBe(200);
  expect((await ada.call('GET', `${path}/affected-resources`)).body['items']).toEqual([]);
  expect((await ada.call('DELETE', path)).body).toMatchObject({
    deleted: true,
    paused: [],
    stillSelling: [{ id, slug: 'essay', state: 'published' }],
    note: expect.stringMatching(/goes on being sold, on the operator's key.*POST \/api\/resources\/\{id\}\/pause/),
  });
  expect(await buy(url)).toBe(200);
  const { body } = await ada.call('GET', `/api/usage?resourceId=${id}`);
  const [platform, own] = body['items'] as Record<string, string>[];
  expect(own).toMatchObject({ keySource: 'own', platformCostUsd: '0' });
  expect(Number(own?.['marginUsd'])).toBeCloseTo(0.01 - Number(own?.['costUsd']), 10);
  expect(platform).toMatchObject({ keySource: 'platform', marginUsd: '0.01' });
  expect(Number(platform?.['platformCostUsd'])).toBeGreaterThan(0);
  expect(platform?.['platformCostUsd']).toBe(platform?.['costUsd']);
  const { rows } = await app.current.database.system.query(
    `SELECT key_source FROM x402_prompt_template_usage_logs WHERE resource_id = $1 ORDER BY at`,
    [id],
  );
  expect(rows).toEqual([{ key_source: 'own' }, { key_source: 'platform' }]);
});

test("what a covered creator spends of the operator's key is kept by day", async () => {
  const bob = await app.current.makeCreator('bob', { openRouterKey: null });
  const { url } = await bob.publish({ slug: 'free-ride' });
  expect(await buy(url)).toBe(200);
  const { rows } = await app.current.database.system.query<{ spent_usd: string; reserved_usd: string }>(
    `SELECT spent_usd, reserved_usd FROM platform_key_days JOIN users ON users.id = owner_id WHERE username = 'bob'`,
  );
  expect(rows).toHaveLength(1);
  expect(Number(rows[0]?.reserved_usd)).toBe(0);
  expect(Number(rows[0]?.spent_usd)).toBeGreaterThan(0);
});

test("a covered creator reads what is left of the day's share, and one who is not covered that there is none", async () => {
  const share = '/api/user/platform-share';
  const carl = await app.current.makeCreator('carl', { openRouterKey: null });
  const { url } = await carl.publish({ slug: 'counted' });
  const whole = { isCovered: true, isWorking: true, dailyUsd: '5', spentUsd: '0', reservedUsd: '0', remainingUsd: '5' };
  expect((await carl.call('GET', share)).body).toMatchObject(whole);
  expect(await buy(url)).toBe(200);
  const { body } = await carl.call('GET', share);
  expect(Number(body['spentUsd'])).toBeGreaterThan(0);
  expect(Number(body['spentUsd']) + Number(body['remainingUsd'])).toBeCloseTo(5, 10);
  expect(Date.parse(String(body['resetsAt']))).toBeGreaterThan(Date.now());
  const dora = await app.current.makeCreator('dora');
  expect((await dora.call('GET', share)).body).toMatchObject({ isCovered: false, remainingUsd: '0' });
});

test("a covered creator who switches the own key off is told that the operator's goes on selling", async () => {
  const fay = await app.current.makeCreator('fay');
  const { url } = await fay.publish({ slug: 'switched' });
  const off = await fay.call('PATCH', path, { isEnabled: false });
  expect(off.body).toMatchObject({
    isEnabled: false,
    paused: [],
    stillSelling: [{ slug: 'switched' }],
    note: expect.stringMatching(/stop selling/),
  });
  expect((await send(url)).status).toBe(402);
  expect((await fay.call('PATCH', path, { isEnabled: true })).body).toMatchObject({ stillSelling: [], note: null });
});

test.each([
  ['a preset', '@preset/operators-own', /preset/],
  ['a model with a preset', 'openai/gpt-4o-mini@preset/x', /preset/],
  ['a router', 'openrouter/auto', /not known before it/],
])("%s is not published on the operator's key: it needs a key of the creator's own", async (_name, modelId, words) => {
  const username = `needs-${modelId.replaceAll(/\W/g, '').toLowerCase().slice(0, 12)}`;
  const creator = await app.current.makeCreator(username, { openRouterKey: null });
  const config = { modelId, systemPrompt: 'Write about {topic}{/topic}.', maxTokens: 100 };
  const refused = await creator.publish({ slug: 'shared', config }).catch(String);
  expect(refused).toMatch(/answered 422/);
  expect(refused).toMatch(words);
  expect(refused).toMatch(/store a key of your own: PUT/);
});

test('a creator who is not covered is paused without a key', async () => {
  const eve = await app.current.makeCreator('eve');
  const { url } = await eve.publish({ slug: 'own' });
  expect((await eve.call('DELETE', path)).body['paused']).toMatchObject([{ slug: 'own' }]);
  expect((await send(url)).status).toBe(503);
});
