import { expect, test } from 'vitest';
import { toyOptions } from '../../tests/support/toy-app.ts';
import { buildApp } from './build-app.ts';

test.each([
  ['/docs/', '/docs'],
  ['/resources/demo/haiku//?a=1', '/resources/demo/haiku?a=1'],
  ['/api/notes/', '/api/notes'],
])('%s leads to %s', async (path, home) => {
  const { options } = toyOptions();
  const response = await buildApp(options).request(path);
  expect([response.status, response.headers.get('location')]).toEqual([308, home]);
});

test.each(['//evil.example/', '/%2fevil.example/x/', '/'])('%s leads to no other host', async (path) => {
  const { options } = toyOptions();
  const response = await buildApp(options).request(`https://farebox.test${path}`);
  expect(response.headers.get('location') ?? '/').toMatch(/^\/(?!\/)/);
});

test('pages have a limit of their own: who has read too many can still call the API', async () => {
  let left = 2;
  const pages = { take: async () => ({ isAllowed: (left -= 1) >= 0, retryAfterSeconds: 7 }) };
  const { options } = toyOptions({ limits: { pages }, sandbox: { describe: () => ({}), faucet: async () => ({}) } });
  const app = buildApp(options);
  const statuses = ['/', '/docs', '/resources', '/sandbox', '/api/notes'].map(
    async (path) => (await app.request(path, { headers: { 'x-forwarded-for': '203.0.113.7' } })).status,
  );
  expect(await Promise.all(statuses)).toEqual([200, 200, 429, 429, 200]);
});

test('a page that a browser has already keeps its policy: what says that it is unchanged brings no other one', async () => {
  const { options } = toyOptions();
  const app = buildApp(options);
  const first = await app.request('/docs');
  const again = await app.request('/docs', { headers: { 'If-None-Match': first.headers.get('etag') ?? '' } });
  expect(again.status).toBe(304);
  const policies = [first, again].map(({ headers }) => headers.get('content-security-policy'));
  expect(policies).toEqual([expect.stringContaining("style-src 'self'"), null]);
});
