import { beforeAll, expect, test } from 'vitest';
import { demoKeys } from '../sandbox/openrouter/demo-keys.ts';
import { payFor, send } from './support/paid-request.ts';
import { useApp, type Creator } from './support/start-app.ts';

const app = useApp({ OPENROUTER_API_KEY: demoKeys.freeTier, OPENROUTER_API_KEY_CREATORS: 'ada,bob' });
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
  expect((await ada.call('DELETE', path)).body).toEqual({ deleted: true, paused: [] });
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
  const { rows } = await app.current.database.system.query<{ cost_usd: string; reserved_usd: string }>(
    `SELECT cost_usd, reserved_usd FROM platform_key_uses JOIN users ON users.id = owner_id WHERE username = 'bob'`,
  );
  expect(rows).toHaveLength(1);
  expect(Number(rows[0]?.cost_usd)).toBeGreaterThan(0);
  expect(Number(rows[0]?.cost_usd)).toBeLessThan(Number(rows[0]?.reserved_usd));
});

test('a creator who is not covered is paused without a key', async () => {
  const eve = await app.current.makeCreator('eve');
  const { url } = await eve.publish({ slug: 'own' });
  expect((await eve.call('DELETE', path)).body['paused']).toMatchObject([{ slug: 'own' }]);
  expect((await send(url)).status).toBe(503);
});
