import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { measureMedia } from '#media/index.ts';
import { startOpenRouterSimulator, type OpenRouterSimulator } from './start-simulator.ts';

const VERIFIER = 'a-verifier-of-at-least-forty-three-characters-0';
const challenge = createHash('sha256').update(VERIFIER).digest('base64url');
let simulator: OpenRouterSimulator;
let now = Date.UTC(2026, 0, 1);

beforeAll(async () => {
  simulator = await startOpenRouterSimulator({
    port: 0,
    measure: measureMedia,
    catalogue: [],
    clock: { now: () => now },
  });
});
afterAll(() => simulator.stop());

async function consent(query: Record<string, string>): Promise<Response> {
  const asked = {
    callback_url: 'http://localhost:3000/back?state=s',
    code_challenge: challenge,
    code_challenge_method: 'S256',
  };
  const { origin } = new URL(simulator.url);
  return fetch(`${origin}/auth?${new URLSearchParams({ ...asked, ...query }).toString()}`, { redirect: 'manual' });
}
const toBack = (response: Response) => new URL(response.headers.get('location') ?? 'about:blank');
async function post(path: string, body: object, key?: string) {
  const headers = {
    'content-type': 'application/json',
    ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
  };
  const response = await fetch(`${simulator.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
const redeem = (code: string | null, more: object = {}) =>
  post('/auth/keys', { code, code_verifier: VERIFIER, code_challenge_method: 'S256', ...more });

test('a granted code is redeemed once for a key with the chosen cap', async () => {
  const back = toBack(await consent({ decision: 'approve', limit: '0.75', key_label: 'Shop' }));
  expect(back.searchParams.get('state')).toBe('s');
  const first = await redeem(back.searchParams.get('code'));
  expect(first).toMatchObject({ status: 200, body: { user_id: expect.stringContaining('user_') } });
  const key = await fetch(`${simulator.url}/key`, {
    headers: { authorization: `Bearer ${String(first.body['key'])}` },
  });
  expect(await key.json()).toMatchObject({ data: { limit: 0.75, limit_remaining: 0.75, label: 'Shop' } });
  expect((await redeem(back.searchParams.get('code'))).status).toBe(403);
});

test('whoever refuses is sent back without a code', async () => {
  const back = toBack(await consent({ decision: 'deny' }));
  expect([back.searchParams.get('code'), back.searchParams.get('error')]).toEqual([null, 'access_denied']);
});

test.each([
  ['another verifier', { code_verifier: 'wrong' }, 403],
  ['another method', { code_challenge_method: 'plain' }, 403],
  ['a method that nobody knows', { code_challenge_method: 'S1' }, 400],
])('a code is not redeemed with %s', async (_what, more, status) => {
  const back = toBack(await consent({ decision: 'approve' }));
  expect((await redeem(back.searchParams.get('code'), more)).status).toBe(status);
});

test('a code lives for ten minutes', async () => {
  const back = toBack(await consent({ decision: 'approve' }));
  now += 600_001;
  expect((await redeem(back.searchParams.get('code'))).status).toBe(403);
});

test('a program with a key makes such a code too, and another verb is refused', async () => {
  const asked = {
    callback_url: 'https://shop.example/back',
    code_challenge: challenge,
    limit: 2,
    usage_limit_type: 'daily',
  };
  expect((await post('/auth/keys/code', asked)).status).toBe(401);
  const made = await post('/auth/keys/code', asked, simulator.keys.healthy);
  const { id } = made.body['data'] as { id: string };
  expect((await redeem(id)).status).toBe(200);
  expect((await fetch(`${simulator.url}/auth/keys`)).status).toBe(405);
});

test('only https and localhost are sent anywhere, and what stands in the address cannot write into the page', async () => {
  expect((await consent({ callback_url: 'http://evil.example/' })).status).toBe(400);
  const page = await (await consent({ key_label: '"><script>' })).text();
  expect(page).not.toContain('<script>');
});

test('a program without a page of its own has its code copied, and must prove that it asked', async () => {
  const { origin } = new URL(simulator.url);
  const ask = (query: Record<string, string>) => fetch(`${origin}/auth?${new URLSearchParams(query).toString()}`);
  const asked = { code_challenge: challenge, code_challenge_method: 'S256' };
  expect((await ask({})).status).toBe(400);
  expect(await (await ask({ ...asked, limit: '0.5' })).text()).toContain('value="0.5"');
  expect(await (await ask({ ...asked, decision: 'deny' })).text()).not.toContain('auth_code_');
  const page = await (await ask({ ...asked, decision: 'approve' })).text();
  const [code = null] = /auth_code_\w+/.exec(page) ?? [];
  expect((await redeem(code, { code_verifier: 'another' })).status).toBe(403);
  expect((await redeem(code)).status).toBe(200);
});

test('nobody redeems a code from before everything was set back', async () => {
  const back = toBack(await consent({ decision: 'approve' }));
  simulator.control.reset();
  expect((await redeem(back.searchParams.get('code'))).status).toBe(403);
});
