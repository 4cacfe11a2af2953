import { describe, expect, test } from 'vitest';
import { measureMedia } from '#media/index.ts';
import { askSimulator } from '../../tests/support/ask-simulator.ts';
import { useSimulator } from '../../tests/support/use-simulator.ts';
import { startOpenRouterSimulator } from './start-simulator.ts';

const TOKEN = 'control-token-of-tests';
const MODEL = 'openai/gpt-4.1-mini';
const simulator = useSimulator({ controlToken: TOKEN });

interface Steering {
  body?: unknown;
  token?: string;
}

async function send(method: string, path: string, { body, token = TOKEN }: Steering) {
  const response = await fetch(new URL(`/__sim/${path}`, simulator.url), {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, ...((await response.json()) as { data: never; error: { message: string } }) };
}

const steer = (method: string, path: string, body?: unknown) => send(method, path, { body });

const status = async (body?: Record<string, unknown>): Promise<number> => (await askSimulator(simulator, body)).status;

describe('who may steer', () => {
  test('without the token nothing is told and nothing is changed', async () => {
    expect((await send('GET', 'state', { token: 'guessed' })).status).toBe(401);
    expect((await send('POST', 'faults', { body: { name: '500' }, token: simulator.keys.management })).status).toBe(
      401,
    );
    expect(await status()).toBe(200);
  });

  test('a simulator that was given no token has no such paths', async () => {
    const closed = await startOpenRouterSimulator({ port: 0, measure: measureMedia, catalogue: [] });
    const response = await fetch(new URL('/__sim/state', closed.url), { headers: { authorization: 'Bearer null' } });
    expect(response.status).toBe(404);
    await closed.stop();
  });

  test('steering is not among the requests that are recorded', async () => {
    await status();
    expect((await steer('GET', 'requests')).data).toHaveLength(1);
  });
});

describe('what can be steered', () => {
  test('everything is set back at once, how late slow answers are included', async () => {
    await steer('PATCH', 'settings', { slowMs: 1 });
    expect((await steer('GET', 'state')).data).toMatchObject({ slowMs: 1 });
    await steer('POST', 'reset');
    expect((await steer('GET', 'state')).data).toMatchObject({ slowMs: 5_000 });
  });

  test('faults are planned, listed and cleared', async () => {
    expect((await steer('POST', 'faults', { name: '503', times: 2 })).data).toMatchObject([{ name: '503', left: 2 }]);
    expect(await status()).toBe(503);
    expect((await steer('DELETE', 'faults')).data).toEqual([]);
    expect(await status()).toBe(200);
    expect(await steer('POST', 'faults', { name: 'no_such_fault' })).toMatchObject({ status: 400 });
  });

  test('accounts lose their credits and are blocked', async () => {
    const key = simulator.keys.healthy;
    await steer('PATCH', 'accounts', { key, creditsUsd: '0' });
    expect(await status()).toBe(402);
    await steer('PATCH', 'accounts', { key, creditsUsd: '5', isBlocked: true });
    expect(await status()).toBe(403);
  });

  test('keys are limited and disabled', async () => {
    const key = simulator.keys.healthy;
    await steer('PATCH', 'keys', { key, limitRemainingUsd: '0' });
    expect(await status()).toBe(402);
    await steer('PATCH', 'keys', { key, limitRemainingUsd: null, isDisabled: true });
    expect(await status()).toBe(401);
  });

  test('prices change and models retire', async () => {
    expect((await steer('PATCH', 'models', { id: MODEL, pricing: { prompt: '0.01' } })).data).toMatchObject({
      pricing: { prompt: '0.01' },
    });
    await steer('PATCH', 'models', { id: MODEL, retire: { expirationDate: '2020-01-01' } });
    expect(await status()).toBe(404);
  });

  test('a model is renamed, and answers under both of its ids', async () => {
    expect((await steer('PATCH', 'models', { id: MODEL, newId: `${MODEL}-renamed` })).data).toMatchObject({
      id: `${MODEL}-renamed`,
    });
    expect(await status()).toBe(200);
    expect((await steer('PATCH', 'models', { id: `${MODEL}-renamed`, newId: MODEL })).data).toMatchObject({
      id: MODEL,
    });
    expect(await status()).toBe(200);
  });

  test('the clock goes forward', async () => {
    const { now: before } = (await steer('GET', 'clock')).data as { now: number };
    const { now: after } = (await steer('POST', 'clock', { advanceMs: 86_400_000 })).data as { now: number };
    expect(after - before).toBeGreaterThanOrEqual(86_400_000);
  });

  test('providers go down and come back', async () => {
    const provider = { only: ['simulated'] };
    await steer('PATCH', 'settings', { downProviders: ['simulated'] });
    expect(await status({ provider })).toBe(503);
    await steer('PATCH', 'settings', { downProviders: [] });
    expect(await status({ provider })).toBe(200);
  });

  test('a reset brings everything back', async () => {
    await steer('PATCH', 'accounts', { key: simulator.keys.healthy, creditsUsd: '0' });
    await steer('PATCH', 'settings', { downProviders: ['simulated'], usageChunkChoices: 'empty' });
    const { data } = await steer('POST', 'reset');
    expect(data).toMatchObject({ downProviders: [], usageChunkChoices: 'repeat', faults: [], generations: 0 });
    expect(await status()).toBe(200);
  });

  test.each([
    ['POST', 'clock', { advanceMs: -1 }],
    ['PATCH', 'settings', { downProviders: ['somebody'] }],
    ['PATCH', 'keys', { key: 'sk-or-v1-nobody', isDisabled: true }],
    ['PATCH', 'models', { id: 'nobody/nothing', pricing: { prompt: '1' } }],
    ['PATCH', 'accounts', { key: 'x', unknownSetting: true }],
  ])('%s %s refuses %j and says why', async (method, path, body) => {
    const refused = await steer(method, path, body);
    expect(refused.status).toBe(400);
    expect(refused.error.message).not.toBe('');
  });
});
