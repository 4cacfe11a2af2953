import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { toSettlerAddress } from '#payments/index.ts';
import { listKinds } from '../src/plugins.ts';
import { connectChain } from './support/connect-chain.ts';
import { describeNoticeChannels } from './support/describe-notice-channels.ts';
import { openNoticeWorld, openRouterPath } from './support/notice-world.ts';
import { payFor, send } from './support/paid-request.ts';
import { startScriptedUpstream, type ScriptedUpstream } from './support/scripted-upstream.ts';
import { useApp, type Creator } from './support/start-app.ts';
import { openToyKind } from './support/toy-kind.ts';

/*
 * Each event once, from its real cause, through the whole app; and the channels. A look is taken by hand where the app
 * takes it by the minute.
 */
const servers: ScriptedUpstream[] = [];
const environment: Record<string, string> = { ADMIN_EMAILS: 'operator@example.com' };
beforeAll(async () => {
  servers.push(...(await Promise.all([startScriptedUpstream(), startScriptedUpstream(), startScriptedUpstream()])));
  const [telegram, discord, receiver] = servers.map(({ url }) => url);
  Object.assign(environment, { TELEGRAM_API_URL: telegram, DISCORD_API_URL: discord, WEBHOOK_ORIGINS: receiver });
});
const toy = openToyKind();
let isQuotable = true;
const quoteCost = () => (isQuotable ? Promise.resolve(null) : Promise.reject(new Error('The toy cannot tell.')));
const app = useApp(environment, { listKinds: (deps) => [...listKinds(deps), { ...toy, quoteCost }] });
afterAll(() => Promise.all(servers.map((server) => server.close())));

const MODEL = 'openai/gpt-4o-mini';
const OTHER = 'openai/gpt-4o';
const DEAR = 'openai/gpt-4.1';
const onOther = { config: { modelId: OTHER, systemPrompt: 'Of {topic}{/topic}.', maxTokens: 50 }, priceUsdc: '0.05' };
const onDear = { ...onOther, config: { ...onOther.config, modelId: DEAR } };
const body = { topic: 'rivers' };
let operator: Creator;
let ada: Creator;

const { simulator, control, told, look } = openNoticeWorld(app, servers);

async function sync(force = false): Promise<void> {
  const synced = await operator.call('POST', '/api/admin/sync-models', { force });
  expect(synced).toMatchObject({ status: 200, body: { status: 'applied' } });
}

beforeAll(async () => {
  operator = await app.current.makeCreator('operator', { openRouterKey: null });
  ada = await app.current.makeCreator('ada', { openRouterKey: simulator().keys.nearlyEmpty });
});
beforeEach(() => control().clearFaults());

test('a refused key is told with what was paused for it, once until it works again, and what comes back is told too', async () => {
  const bob = await app.current.makeCreator('bob', { openRouterKey: simulator().keys.ownProviderKey });
  const { id } = await bob.publish({ slug: 'essay', ...onOther });
  control().disableKey(simulator().keys.ownProviderKey);
  await bob.call('POST', `${openRouterPath}/test`);
  await bob.call('POST', `${openRouterPath}/test`);
  const [refused, ...others] = await told(bob, 'key_refused');
  expect(refused).toMatchObject({ severity: 'critical', subject: 'openrouter', data: { paused: ['essay'] } });
  expect(refused?.body).toMatch(/Paused for it: essay\./);
  expect(others).toEqual([]);
  control().disableKey(simulator().keys.ownProviderKey, false);
  await bob.call('POST', `${openRouterPath}/test`);
  expect(await told(bob, 'resource_resumed')).toMatchObject([{ data: { resources: ['essay'] } }]);
  control().disableKey(simulator().keys.ownProviderKey);
  await bob.call('POST', `${openRouterPath}/test`);
  expect(await told(bob, 'key_refused')).toHaveLength(2);
  control().disableKey(simulator().keys.ownProviderKey, false);
  await bob.call('POST', `${openRouterPath}/test`);
  await bob.call('DELETE', openRouterPath);
  expect(await told(bob, 'key_refused')).toHaveLength(2);
  expect(await told(operator, 'key_refused')).toEqual([]);
  expect((await bob.call('GET', `/api/resources/${id}`)).body).toMatchObject({ state: 'paused' });
});

test('credits and limits are told at each threshold once, and again after they were filled up', async () => {
  const key = simulator().keys.nearlyEmpty;
  control().setCreditsReadable(key, true);
  const seen = async (usd: string): Promise<unknown[]> => {
    control().setCredits(key, usd);
    await ada.call('POST', `${openRouterPath}/test`);
    await look();
    return (await told(ada, 'credits_low')).map(({ data }) => data['percent']);
  };
  expect(await seen('100')).toEqual([]);
  expect(await seen('60')).toEqual([]);
  expect(await seen('50')).toEqual([50]);
  expect(await seen('9')).toEqual([50, 90]);
  expect(await seen('40')).toEqual([50, 90]);
  expect(await seen('10')).toEqual([50, 90, 75]);
  expect(await seen('0')).toEqual([50, 90, 75, 100]);
  expect(await seen('100')).toEqual([50, 90, 75, 100]);
  const limited = simulator().keys.exhausted;
  control().setLimitRemaining(limited, '5');
  const cleo = await app.current.makeCreator('cleo', { openRouterKey: limited });
  const used = async (usd: string): Promise<unknown[]> => {
    control().setLimitRemaining(limited, usd);
    await cleo.call('POST', `${openRouterPath}/test`);
    await look();
    return (await told(cleo, 'limit_used')).map(({ data }) => data['percent']);
  };
  // Half a dollar of it is spent.
  expect(await used('5')).toEqual([]);
  expect(await used('0.5')).toEqual([50]);
  expect(await used('0.4')).toEqual([50]);
  expect(await used('0.15')).toEqual([50, 75]);
  expect(await used('0.05')).toEqual([50, 75, 90]);
  expect(await used('0')).toEqual([50, 75, 90, 100]);
  expect((await told(cleo, 'limit_used'))[2]).toMatchObject({
    subject: 'openrouter',
    severity: 'critical',
    data: { percent: 90, leftUsd: '0.05', ofUsd: '0.55' },
  });
});

test('a model that has another price, ends or is gone is told to whoever uses it, with what can stand in for it', async () => {
  await ada.publish({ slug: 'poem' });
  await ada.publish({ slug: 'story' });
  await sync(true);
  control().changePrice(MODEL, { prompt: '0.0000003' });
  await sync();
  await sync();
  expect(await told(ada, 'model_price_changed', MODEL)).toMatchObject([
    { subject: MODEL, data: { after: { prompt: '0.3' }, resources: ['poem', 'story'] } },
  ]);
  control().changePrice(MODEL, { image: '0.009' });
  await sync();
  const [, other] = await told(ada, 'model_price_changed', MODEL);
  expect(other?.body).toMatch(/still cost 0\.3 and 0\.6 USD; something else has another price/);
  const inDays = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
  for (const days of [40, 30, 20, 14, 14, 7, 2, 1]) {
    control().changeEntry(MODEL, { expiration_date: inDays(days) });
    await sync();
    await look();
  }
  const ends = await told(ada, 'model_expiring', MODEL);
  expect(ends.map(({ data }) => data['days'])).toEqual([30, 14, 7, 1]);
  const [first] = (ends[0]?.data['substitutes'] ?? []) as { model: string; costUsd: string }[];
  expect(first?.model).not.toBe(MODEL);
  expect(ends[0]?.body).toContain(`${first?.model} (${first?.costUsd} USD a call`);
  control().retireModel(MODEL, { listed: false });
  await sync(true);
  await look();
  const [gone, ...more] = await told(ada, 'model_gone', MODEL);
  expect([gone, more]).toMatchObject([{ subject: MODEL, data: { resources: ['poem', 'story'] } }, []]);
  const [instead] = (gone?.data['substitutes'] ?? []) as { model: string; costUsd: string }[];
  expect(Number(instead?.costUsd)).toBeGreaterThan(0);
  expect(gone?.body).toContain(`${instead?.model} (${instead?.costUsd} USD a call`);
  expect(await told(operator, 'model_gone')).toEqual([]);
});

test('a resource that stops being sold for want of its model is told, and so is its return', async () => {
  const { id, url } = await ada.publish({ slug: 'lost', ...onOther });
  const { system } = app.current.database;
  const listModel = async (isActive: boolean): Promise<void> => {
    await system.query(`UPDATE ai_models SET is_active = $1 WHERE openrouter_id = 'openai/gpt-4o'`, [isActive]);
    await system.query(`SELECT pg_notify('models_changed', 'test')`);
  };
  await listModel(false);
  await expect.poll(async () => (await send(url)).status).toBe(503);
  await expect.poll(() => told(ada, 'resource_paused', id)).toHaveLength(1);
  expect(await told(ada, 'resource_paused', id)).toMatchObject([
    { body: expect.stringMatching(/gpt-4o/), severity: 'critical' },
  ]);
  await listModel(true);
  await expect.poll(() => told(ada, 'resource_resumed', id), { timeout: 20_000 }).toHaveLength(1);
});

test('a price that does not cover its cost any more, also where another resource cannot tell its cost, failing calls, owed calls and little gas are told', async () => {
  const paid = await ada.publish({ slug: 'owing', ...onDear, settlementPoint: 'upfront' });
  const free = await ada.publish({ slug: 'failing', ...onDear, priceUsdc: '0' });
  await ada.publish({ slug: 'toyed', kind: 'toy', config: { template: '{topic}{/topic}' } });
  isQuotable = false;
  control().fail('ok_empty', { times: 500 });
  const payment = await payFor(await app.current.makeBuyer(), paid.url);
  expect(await send(paid.url, { payment, body })).toMatchObject({ status: 503, body: { code: 'answer_owed' } });
  for (let call = 0; call < 5; call += 1) {
    expect((await send(free.url, { body })).status).toBeGreaterThan(500);
  }
  await app.current.database.system.query(
    `UPDATE calls SET settled_at = now() - interval '2 minutes' WHERE state = 'owed'`,
  );
  control().changePrice(DEAR, { completion: '0.01' });
  await sync();
  const chain = connectChain(app.current.sandbox?.chain?.rpcUrl ?? '');
  const settler = toSettlerAddress(`0x${(await readFile(join(app.current.folder, 'settler-key'), 'utf8')).trim()}`);
  await chain.setBalance({ address: settler, value: 10n ** 12n });
  await look();
  await look();
  expect(await told(ada, 'calls_owed')).toMatchObject([{ subject: paid.id, data: { slug: 'owing', calls: 1 } }]);
  expect(await told(ada, 'error_spike', free.id)).toMatchObject([
    { data: { slug: 'failing', failures: 5, calls: 5, usualPercent: 0 } },
  ]);
  expect(await told(ada, 'margin_negative', paid.id)).toMatchObject([{ data: { priceUsdc: '0.05' } }]);
  expect(await told(ada, 'margin_negative', free.id)).toEqual([]);
  expect(await told(operator, 'settler_gas_low')).toMatchObject([{ subject: 'eip155:84532', severity: 'critical' }]);
  expect(await told(ada, 'settler_gas_low')).toEqual([]);
});

describeNoticeChannels(openNoticeWorld(app, servers));
