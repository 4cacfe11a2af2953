import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  bytes,
  startScriptedUpstream,
  status,
  type ScriptedUpstream,
} from '../../../tests/support/scripted-upstream.ts';
import { openOpenRouter, type OpenRouterClient } from '../index.ts';

const API_KEY = 'sk-or-v1-canary00canary00';
const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
let upstream: ScriptedUpstream;
let client: OpenRouterClient;

beforeAll(async () => {
  upstream = await startScriptedUpstream();
  client = open();
});
afterAll(async () => {
  await client.close();
  await upstream.close();
});

function open(more: Partial<Parameters<typeof openOpenRouter>[0]> = {}): OpenRouterClient {
  return openOpenRouter({
    baseUrl: `${upstream.url}/api/v1/`,
    publicUrl: 'https://f.example',
    title: 'F',
    log,
    ...more,
  });
}

const keyBody = (data: string) => bytes([`{"data":${data}}`], { type: 'application/json' });

test('getKey keeps amounts as text', async () => {
  upstream.script(
    keyBody(
      '{"label":"sk-or-v1-can...y00","limit":10.50,"limit_remaining":9.7000001,"usage":0.7999999,"is_free_tier":false}',
    ),
  );
  expect(await client.getKey(API_KEY)).toEqual({
    ok: true,
    snapshot: {
      label: 'sk-or-v1-can...y00',
      limit: '10.50',
      limitRemaining: '9.7000001',
      limitReset: null,
      usage: '0.7999999',
      usageMonthly: null,
      isFreeTier: false,
      expiresAt: null,
    },
  });
  expect(upstream.seen[0]).toMatchObject({ path: '/api/v1/key', headers: { authorization: `Bearer ${API_KEY}` } });
});

test.each([
  ['management_key', keyBody('{"is_management_key":true}')],
  ['expired_key', keyBody('{"expires_at":"2020-01-01T00:00:00Z"}')],
  ['limit_reached', keyBody('{"limit":1,"limit_remaining":0}')],
  ['limit_reached', keyBody('{"limit":1,"limit_remaining":-0.02}')],
  ['invalid_key', status(401, { error: { code: 401, message: `No key ${API_KEY}` } })],
  ['rate_limited', status(429, {})],
  ['unreachable', status(500, {})],
  ['unreachable', status(200, { hello: 1 })],
  ['unreachable', bytes(['<html>'], { type: 'text/html' })],
  ['unreachable', (response: { destroy(): void }) => response.destroy()],
] as const)('getKey answers %s', async (reason, step) => {
  upstream.script(step);
  const checked = await client.getKey(API_KEY);
  expect(checked).toMatchObject({ ok: false, reason });
  expect(JSON.stringify(checked)).not.toContain('canary');
});

test('getKey tells what is left of a limit that is used up as well', async () => {
  upstream.script(keyBody('{"limit":1.50,"limit_remaining":-0.02,"limit_reset":"daily","usage":1.52}'));
  expect(await client.getKey(API_KEY)).toMatchObject({
    ok: false,
    snapshot: { limit: '1.50', limitRemaining: '-0.02', limitReset: 'daily', usage: '1.52' },
  });
});

test.each(['', 'short', 'with space in it', 'line\nbreak-key', 'schlüssel-schlüssel'])(
  'getKey sends nothing for %j',
  async (apiKey) => {
    upstream.script(status(200, {}));
    expect(await client.getKey(apiKey)).toMatchObject({ ok: false, reason: 'invalid_key' });
    expect(upstream.seen).toHaveLength(0);
  },
);

test('getCredits tells the balance exactly, also below zero', async () => {
  upstream.script(keyBody('{"total_credits":100.5,"total_usage":25.7500001}'));
  expect(await client.getCredits(API_KEY)).toEqual({ outcome: 'known', balanceUsd: '74.7499999' });
  upstream.script(keyBody('{"total_credits":5,"total_usage":5.02}'));
  expect(await client.getCredits(API_KEY)).toEqual({ outcome: 'known', balanceUsd: '-0.02' });
});

test.each([401, 403])('getCredits is not told the balance where OpenRouter answers %i', async (code) => {
  upstream.script(status(code, { error: { code, message: 'Only management keys' } }));
  expect(await client.getCredits(API_KEY)).toEqual({ outcome: 'not_told' });
});

test.each([
  ['an error', status(500, {})],
  ['a limit of the rate', status(429, {})],
  ['a missing page', status(404, {})],
  ['no amounts', keyBody('{"total_credits":null}')],
  ['HTML', bytes(['<html>'], { type: 'text/html' })],
  ['no answer', (response: { destroy(): void }) => response.destroy()],
] as const)('getCredits has reached nobody after %s, which says nothing about the account', async (_name, step) => {
  upstream.script(step);
  expect(await client.getCredits(API_KEY)).toEqual({ outcome: 'unreachable' });
});

test('listModels asks for every modality, follows links, and sends no key', async () => {
  upstream.script(
    status(200, { data: [{ id: 'a' }, { id: 'b' }], links: { next: '/api/v1/models?offset=2' } }),
    status(200, { data: [{ id: 'c' }], links: { next: null } }),
  );
  expect(await client.listModels()).toEqual([{ id: 'a' }, { id: 'b' }, { id: 'c' }]);
  expect(upstream.seen.map(({ path }) => path)).toEqual([
    '/api/v1/models?output_modalities=all&limit=1000',
    '/api/v1/models?offset=2',
  ]);
  expect(upstream.seen[0]?.headers.authorization).toBeUndefined();
});

test('listModels does not follow a link to another origin, nor in circles', async () => {
  upstream.script(status(200, { data: [1], links: { next: 'http://169.254.169.254/latest' } }));
  expect(await client.listModels()).toEqual([1]);
  upstream.script(status(200, { data: [1], links: { next: '/api/v1/models?offset=1' } }));
  expect(await client.listModels()).toEqual([1, 1]);
});

test.each([
  ['an error', status(503, {})],
  ['HTML', bytes(['<html>'], { type: 'text/html' })],
  ['no list', status(200, { data: 'x' })],
  ['a list that is shorter than it says', status(200, { data: [1, 2], total_count: 3 })],
  ['a cut', bytes(['{"data":['], { type: 'application/json', cut: true })],
])('listModels throws upstream_failed for %s', async (_name, step) => {
  upstream.script(step);
  await expect(client.listModels()).rejects.toMatchObject({ code: 'upstream_failed' });
});
