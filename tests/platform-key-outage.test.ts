import { afterEach, beforeAll, expect, test } from 'vitest';
import { demoKeys } from '../sandbox/openrouter/demo-keys.ts';
import { countRuns, payFor, send } from './support/paid-request.ts';
import { useApp, type Creator } from './support/start-app.ts';

const app = useApp({
  OPENROUTER_API_KEY: demoKeys.freeTier,
  OPENROUTER_API_KEY_CREATORS: '*',
  ADMIN_EMAILS: 'operator@example.com',
});
const control = () => app.current.sandbox?.openRouter?.control;
let bob: Creator;
let operator: Creator;

beforeAll(async () => {
  bob = await app.current.makeCreator('bob', { openRouterKey: null });
  operator = await app.current.makeCreator('operator', { openRouterKey: null });
  control()?.setCredits(demoKeys.freeTier, '50');
});
afterEach(async () => {
  control()?.disableKey(demoKeys.freeTier, false);
  control()?.setCredits(demoKeys.freeTier, '50');
  await app.current.database.system.query('DELETE FROM platform_key_outages');
});

async function buy(url: string, topic: string) {
  const buyer = await app.current.makeBuyer();
  return { url, payment: await payFor(buyer, url), body: { topic } };
}

test.each([
  ['disabled', () => control()?.disableKey(demoKeys.freeTier)],
  ['empty', () => control()?.setCredits(demoKeys.freeTier, '0')],
])(
  "an operator's key that is %s fails one call, then nothing is offered or run on it for a minute",
  async (name, breakKey) => {
    const { id, url } = await bob.publish({ slug: `on-${name}` });
    await expect.poll(async () => (await send(url)).status, { timeout: 15_000 }).toBe(402);
    const [first, second] = [await buy(url, `first ${name}`), await buy(url, `second ${name}`)];
    breakKey();
    expect(await send(url, first)).toMatchObject({ status: 503, body: { charged: false } });
    await expect.poll(async () => (await send(url)).status, { timeout: 10_000 }).toBe(503);
    expect(await send(url, second)).toMatchObject({ status: 503, body: { code: 'unavailable', charged: false } });
    expect([countRuns(app.current, `first ${name}`), countRuns(app.current, `second ${name}`)]).toEqual([1, 0]);
    const tested = await send(url, { body: { topic: 'x' }, cookie: bob.cookie, headers: { 'X-Owner-Test': 'true' } });
    expect(tested.body['detail']).toMatch(/operator has been told.*store a key of your own/);
    expect(tested.body['detail']).not.toMatch(/Store a new one|settings\/credits/);
    expect((await bob.call('GET', `/api/resources/${id}`)).body).toMatchObject({ state: 'published', pausedBy: null });
    expect((await bob.call('GET', '/api/user/platform-share')).body).toMatchObject({ isWorking: false });
    const log = app.current.logged.filter((line) => line.includes('OpenRouter key does not work'));
    expect(log.map((line) => (JSON.parse(line) as { level: number }).level)).toContain(50);
    expect(log.join()).not.toContain(demoKeys.freeTier);
    await Promise.all([app.current.notices.watchMoney(), app.current.notices.watchMoney()]);
    const told = async (of: Creator, event: string) =>
      (await of.call('GET', `/api/user/notices?event=${event}`)).body['items'] as { body: string }[];
    // Each once a day, though it breaks twice here.
    expect(await told(operator, 'operator_key_refused')).toMatchObject([{ severity: 'critical' }]);
    expect(await told(bob, 'operator_key_refused')).toEqual([]);
    expect(await told(bob, 'calls_refused')).toMatchObject([{ subject: 'platform_key_down' }]);
    expect(JSON.stringify(await told(operator, 'operator_key_refused'))).not.toContain(demoKeys.freeTier);
  },
);
