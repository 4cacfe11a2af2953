import { expect, test } from 'vitest';
import type { RateLimiter } from '#kit/index.ts';
import { jsonHeaders, signedIn, toyOptions } from '../../tests/support/toy-app.ts';
import { buildApp } from './build-app.ts';

function open(changes: Parameters<typeof toyOptions>[0] = {}, limiter?: RateLimiter) {
  const { options, state } = toyOptions(changes);
  const app = buildApp({ ...options, ports: { ...options.ports, ...(limiter ? { limiter } : {}) } });
  const send = (path: string, init: RequestInit = {}): Promise<Response> => Promise.resolve(app.request(path, init));
  const post = (body: string, headers: Record<string, string> = signedIn): Promise<Response> =>
    send('/api/notes', { method: 'POST', headers, body });
  return { state, send, post };
}

test('runs, answers with the allow-listed output only and audits without inputs', async () => {
  const { post, state } = open();
  const response = await post('{"title":"canary-input"}');
  expect(response.status).toBe(201);
  expect(await response.json()).toEqual({ id: 'n1', title: 'canary-input', size: 1 });
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect(state.audits).toMatchObject([{ operation: 'notes.create', ids: { id: 'n1' }, outcome: 'ok' }]);
  expect(JSON.stringify(state.audits)).not.toContain('canary-input');
});

test('audits refusals of known callers, and nothing of nobody', async () => {
  const { post, state } = open();
  await post('{"title":"x"}', { ...jsonHeaders, Authorization: 'Bearer reader' });
  await post('{"title":7}');
  await post('{"title":"x"}', jsonHeaders);
  expect(state.audits.map((entry) => entry.outcome)).toEqual(['forbidden', 'invalid_input']);
});

test('an unexpected error is logged with the request id and keeps its text', async () => {
  const { send, state } = open();
  for (const path of ['/api/notes/explode', '/api/notes/explode?leak=1']) {
    const response = await send(path, { headers: { 'X-Request-Id': 'my-request-1' } });
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('canary');
    expect(response.headers.get('x-request-id')).toBe('my-request-1');
  }
  expect(state.logged).toMatchObject([
    { fields: { requestId: 'my-request-1' } },
    { fields: { requestId: 'my-request-1' } },
  ]);
});

test.each(['short', 'with space 123', 'x'.repeat(65), '<script>alert(1)</script>'])(
  'a request id like %s is replaced',
  async (id) => {
    const { send } = open();
    const response = await send('/api/notes', { headers: { 'X-Request-Id': id } });
    expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  },
);

test('GET carries a validator and 304 answers the reader who has it', async () => {
  const { send, post } = open();
  const first = await send('/api/notes');
  const etag = first.headers.get('etag') ?? '';
  expect(first.headers.get('cache-control')).toBe('public, max-age=10');
  expect(first.headers.get('vary')).toContain('Authorization');
  const again = await send('/api/notes', { headers: { 'If-None-Match': `"other", W/${etag}` } });
  expect([again.status, await again.text(), again.headers.get('etag')]).toEqual([304, '', etag]);
  expect((await send('/api/notes', { headers: { 'If-None-Match': '*' } })).status).toBe(304);
  await post('{"title":"x"}');
  expect((await send('/api/notes', { headers: { 'If-None-Match': etag } })).status).toBe(200);
  const known = await send('/api/notes', { headers: { Authorization: 'Bearer full' } });
  expect(known.headers.get('cache-control')).toBe('private, no-cache');
});

test('HEAD is GET without the body, OPTIONS names the methods', async () => {
  const { send } = open();
  const head = await send('/api/notes', { method: 'HEAD' });
  expect([head.status, await head.text(), head.headers.get('etag') !== null]).toEqual([200, '', true]);
  const options = await send('/api/notes', { method: 'OPTIONS' });
  expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, HEAD, OPTIONS, POST']);
});

test('a session may change things from our own origins only', async () => {
  const { post, send } = open();
  const session = { ...jsonHeaders, Cookie: 'session=alice' };
  expect((await post('{"title":"x"}', { ...session, Origin: 'https://farebox.test' })).status).toBe(201);
  expect((await post('{"title":"x"}', { ...session, Origin: 'https://app.farebox.test' })).status).toBe(201);
  expect((await post('{"title":"x"}', { ...session, Origin: 'https://farebox.test.evil.test' })).status).toBe(403);
  const gone = await send('/api/notes/n1', {
    method: 'DELETE',
    headers: { Cookie: 'session=alice', Origin: 'https://farebox.test' },
  });
  expect([gone.status, await gone.text()]).toEqual([204, '']);
});

test('a change that another site\u2019s page tries in the name of a session is refused unread, and audited', async () => {
  const { send, state } = open();
  const headers = { ...jsonHeaders, Cookie: 'session=alice', Origin: 'https://evil.test' };
  const refused = await send('/api/notes', { method: 'POST', headers, body: 'not JSON' });
  expect([refused.status, await refused.json()]).toMatchObject([403, { code: 'forbidden' }]);
  expect(state.audits).toMatchObject([{ operation: 'notes.create', outcome: 'forbidden', caller: { via: 'session' } }]);
});

test('CORS: any origin without cookies, trusted origins with them', async () => {
  const { send } = open();
  const cors = async (origin: string): Promise<(string | null)[]> => {
    const { headers } = await send('/api/notes', { headers: { Origin: origin } });
    return [headers.get('access-control-allow-origin'), headers.get('access-control-allow-credentials')];
  };
  expect(await cors('https://evil.test')).toEqual(['*', null]);
  expect(await cors('https://app.farebox.test')).toEqual(['https://app.farebox.test', 'true']);
  const preflight = await send('/api/notes', {
    method: 'OPTIONS',
    headers: { Origin: 'https://evil.test', 'Access-Control-Request-Method': 'POST' },
  });
  expect(preflight.status).toBe(204);
  expect(preflight.headers.get('access-control-allow-credentials')).toBeNull();
  expect(preflight.headers.get('access-control-allow-methods')).toContain('POST');
  expect(preflight.headers.get('access-control-allow-headers')).toContain('Authorization');
});

test('every answer carries the security headers, problems included', async () => {
  const { send } = open();
  for (const path of ['/api/notes', '/api/nothing', '/', '/healthz']) {
    const { headers } = await send(path);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(headers.get('referrer-policy')).toBe('no-referrer');
  }
});

test('a client over its allowance is told how long to wait, before anything else happens', async () => {
  const keys: string[] = [];
  const api = { take: async (key: string) => (keys.push(key), { isAllowed: false, retryAfterSeconds: 2.2 }) };
  const { send, state } = open({ trustedProxyHops: 1 }, api);
  const response = await send('/api/notes', {
    method: 'POST',
    headers: { ...signedIn, 'X-Forwarded-For': '9.9.9.9, 1.2.3.4' },
    body: '{"title":"x"}',
  });
  expect([response.status, response.headers.get('retry-after')]).toEqual([429, '3']);
  expect(keys).toEqual(['1.2.3.4']);
  expect(state.notes).toEqual([]);
});

test('health and readiness', async () => {
  const { send } = open();
  expect(await (await send('/healthz')).json()).toMatchObject({ status: 'alive', version: '0.0.0-test' });
  expect((await send('/readyz')).status).toBe(200);
  const readiness = async () => ({ ready: false, checks: { database: true, settler: false } });
  const broken = await open({ readiness }).send('/readyz');
  expect(broken.status).toBe(503);
  expect(await broken.json()).toMatchObject({ detail: 'Not ready: settler.', checks: { settler: false } });
});

test('an image may be cached until its link ends, is shown in place and can do nothing', async () => {
  const { send } = open();
  const { status, headers } = await send('/api/images/018f2f3e-0000-7000-8000-000000000000?expires=1&signature=good');
  expect(status).toBe(200);
  expect(headers.get('cache-control')).toContain('immutable');
  expect(headers.get('content-security-policy')).toContain('sandbox');
  expect(headers.get('content-disposition')).toMatch(/^inline; filename="[0-9a-f-]{36}\.png"$/);
  expect(headers.get('content-type')).toBe('image/png');
});

test('the usage file is a download', async () => {
  const { send } = open();
  const response = await send('/api/usage.csv?status=failed', { headers: { Authorization: 'Bearer full' } });
  expect(response.headers.get('content-disposition')).toContain('attachment');
  expect(await response.text()).toBe('callId\r\n{"status":"failed"}\r\n');
});

test('sign-in is handed over with the address of the client', async () => {
  const { send } = open({ trustedProxyHops: 1 });
  const response = await send('/api/auth/sign-in/email', {
    method: 'POST',
    headers: { ...jsonHeaders, 'X-Forwarded-For': '1.2.3.4' },
    body: '{"email":"a"}',
  });
  expect(await response.json()).toEqual({
    path: '/api/auth/sign-in/email',
    clientAddress: '1.2.3.4',
    body: { email: 'a' },
  });
});
