import { beforeAll, expect, test } from 'vitest';
import { useApp, type Creator } from './support/start-app.ts';

const app = useApp();
let creator: Creator;
let resource: { id: string; url: string };

beforeAll(async () => {
  creator = await app.current.makeCreator('ada');
  resource = await creator.publish({ slug: 'newest', name: 'Published last of all' });
});

async function read(path: string): Promise<string> {
  const response = await fetch(app.current.url + path, { headers: { Accept: 'text/html' } });
  expect(response.status).toBe(200);
  return response.text();
}

test('the front page shows what its operator has chosen, not whoever published last', async () => {
  const front = await read('/');
  expect(front).toContain('/resources/demo/');
  expect(front).not.toMatch(/Published last of all|@ada/);
  expect(await read('/resources')).toContain('Published last of all');
});

test('people read no names of the wire, and the chain of the sandbox is called what it is', async () => {
  for (const path of ['/', '/resources', '/resources/ada/newest']) {
    const page = await read(path);
    expect(page).toContain('OpenRouter Instant');
    expect(page).toContain('the local test chain');
    expect(page).not.toMatch(/openrouter_instant|Base Sepolia/);
  }
});

test('a person who opens the URL of a resource sees its page, with the same offer; programs see the 402 as it was', async () => {
  const visit = (accept: string, path = '/@ada/newest') =>
    fetch(app.current.url + path, { headers: { Accept: accept } });
  const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8';
  const seen = await visit(browser);
  expect(seen.status).toBe(402);
  expect(seen.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(seen.headers.get('content-security-policy')).toContain("style-src 'self'");
  expect(seen.headers.get('cache-control')).toBe('no-store');
  expect(seen.headers.get('payment-required')).not.toBeNull();
  expect(await seen.text()).toMatch(/^<!doctype html>.*Published last of all.*by @ada/is);
  for (const accept of ['*/*', 'application/json, text/html', 'application/json']) {
    expect(await (await visit(accept)).json()).toMatchObject({ x402Version: 1, accepts: [{ scheme: 'exact' }] });
  }
  expect((await visit(browser, '/@ada/newest@1')).headers.get('content-type')).toBe('application/json');
  expect((await visit(browser, '/@ada/none')).status).toBe(404);
});

test('how long files of answers are kept is told where there may be some', async () => {
  expect(await read('/resources/demo/postcard')).toContain('Files of answers');
  expect(await read('/resources/ada/newest')).not.toContain('Files of answers');
});

test('a DELETE of a resource is told to archive it', async () => {
  const refused = await creator.call('DELETE', `/api/resources/${resource.id}`);
  expect(refused).toMatchObject({
    status: 405,
    body: { detail: expect.stringContaining('POST /api/resources/{id}/archive') },
  });
});

test.each(['1000.000001', '12345678901', '99999999999999999999.5'])(
  'a price of %s is told to be too large',
  async (priceUsdc) => {
    const made = await creator.call('POST', '/api/resources', {
      kind: 'openrouter_instant',
      slug: `dear-${priceUsdc.replace('.', '-')}`,
      priceUsdc,
    });
    const told =
      made.status < 300 ? await creator.call('POST', `/api/resources/${String(made.body['id'])}/publish`, {}) : made;
    expect(told.status).toBeGreaterThanOrEqual(400);
    expect(JSON.stringify(told.body)).toMatch(/is at most 1000 USDC|too large an amount/);
  },
);
