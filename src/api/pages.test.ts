import { expect, test } from 'vitest';
import { Validator } from '@seriousme/openapi-schema-validator';
import type { PublicResource, ServerOptions } from '#api/index.ts';
import { toyOptions, toyResource } from '../../tests/support/toy-app.ts';
import { buildApp } from './build-app.ts';

const sandbox: ServerOptions['sandbox'] = {
  describe: () => ({
    mode: 'sandbox',
    chainId: 84532,
    rpcUrl: 'http://127.0.0.1:4021',
    openRouterKeys: { nearlyEmpty: 'sk-or-v1-test' },
    simulated: [{ what: 'asset', how: 'Play <b>money</b>.' }],
  }),
  faucet: async (address) => ({ address, transaction: '0x1' }),
};

async function page(path: string, changes: Partial<ServerOptions> = {}, accept = 'text/html'): Promise<string> {
  const { options } = toyOptions(changes);
  const response = await buildApp(options).request(path, { headers: { Accept: accept } });
  return response.text();
}

function publish(changes: Partial<PublicResource>): Partial<ServerOptions> {
  const resource = { ...toyResource, ...changes };
  const listPublished = async () => ({ items: [resource], nextCursor: null });
  return { landing: { listFeatured: async () => [resource], listPublished, findResource: async () => resource } };
}

const hostile = [
  '</script><script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '{{7*7}}${7*7}',
  '</title><b>',
  'evil\u202egnp.exe\u2066\u200f',
  'bell\u0007 and nul\u0000',
];

test.each(hostile)('shows the hostile text %j as text', async (text) => {
  const everywhere = publish({
    name: text,
    description: text,
    category: text,
    tags: [text],
    model: text,
    inputExample: { topic: text },
    parameters: [{ name: text, type: 'enum', description: text, required: true, default: text, options: [text] }],
  });
  const shown = (await page('/', everywhere)) + (await page('/resources/demo/haiku', everywhere));
  expect(shown).not.toMatch(/<script|<img src=x|onmouseover='|<\/title><b>/);
  expect(shown).not.toMatch(/[\u202a-\u202e\u2066-\u2069\u200e\u200f]|[\p{Cc}--[\n]]/v);
  expect(shown.match(/<bdi>/g)?.length).toBeGreaterThan(6);
});

test('the shell line stays one quoted argument', async () => {
  const shown = await page('/', publish({ inputExample: { topic: "it's $(rm -rf ~) `x`" } }));
  const line = shown.replaceAll('&#39;', "'").replaceAll('&quot;', '"');
  expect(line).toContain(`-d '{"topic":"it'\\''s $(rm -rf ~) \`x\`"}'`);
});

test('the start page names what is published, its price, its creator and how to call it', async () => {
  const shown = await page('/');
  for (const part of [
    'Haiku',
    '@demo',
    '0.01',
    'Base Sepolia',
    'google/gemini-3-flash',
    'curl -i -X POST',
    '@x402/fetch',
    '/docs',
  ]) {
    expect(shown).toContain(part);
  }
  expect(shown).not.toContain('Sandbox');
});

const offer = {
  scheme: 'exact',
  priceUsdc: '0.01',
  network: 'eip155:8453',
  networkName: 'Base',
  payTo: `0x${'1'.repeat(40)}`,
};
const polygon = { ...offer, network: 'eip155:137', networkName: 'Polygon' };
const celo = {
  ...offer,
  network: 'eip155:42220',
  networkName: 'Celo',
  priceUsdc: '0.02',
  payTo: `0x${'2'.repeat(40)}`,
};

test.each([
  ['0.01 USDC on Base', [offer]],
  ['0.01 USDC on Base or Polygon', [offer, polygon]],
  ['0.01 USDC on Polygon, Base or Celo', [polygon, offer, { ...celo, priceUsdc: '0.01' }]],
  ['0.01 USDC on Base or Polygon, 0.02 USDC on Celo', [offer, celo, polygon]],
])('offers are shown in one line: %s', async (line, offers) => {
  expect(await page('/resources/demo/haiku', publish({ offers }))).toContain(`<dd>${line}</dd>`);
  expect(await page('/', publish({ offers }))).toContain(`<span>${line}</span>`);
});

test('each payee is shown with the networks that pay it', async () => {
  const shown = (await page('/resources/demo/haiku', publish({ offers: [offer, celo, polygon] }))).replaceAll(
    /\s+/g,
    ' ',
  );
  expect(shown).toContain(`<code>${offer.payTo}</code> on Base, Polygon`);
  expect(shown).toContain(`<code>${celo.payTo}</code> on Celo`);
  expect(shown).toContain('Base (eip155:8453), Celo (eip155:42220), Polygon (eip155:137)');
});

test.each([
  ['on_success', 'only for a usable answer'],
  ['at_first_output', 'when the first part of the answer is there'],
  ['upfront', 'before the work begins'],
] as const)('a resource that charges %s tells its buyers when', async (settlementPoint, words) => {
  expect(await page('/resources/demo/haiku', publish({ settlementPoint }))).toContain(words);
});

test('a free resource asks for no payment', async () => {
  const shown = await page('/resources/demo/haiku', publish({ offers: [] }));
  expect(shown).toContain('<dd>Free</dd>');
  expect(shown).toContain('curl -i -X POST');
  expect(shown).not.toMatch(/Paid to|@x402\/fetch/);
});

test('in the sandbox it says so, and shows the faucet', async () => {
  const shown = await page('/', { sandbox });
  expect(shown).toContain('<strong>Sandbox</strong>');
  expect(shown).toContain('/sandbox/faucet');
  const facts = await page('/sandbox', { sandbox });
  expect(facts).toContain('84532');
  expect(facts).toContain('&lt;b&gt;money');
  expect(facts).toContain('Key: nearly empty');
  expect(facts).not.toMatch(/nearlyEmpty|rpcUrl|<dt>mode/);
  expect(JSON.parse(await page('/sandbox', { sandbox }, 'application/json'))).toMatchObject({ chainId: 84532 });
});

test('without resources the pages say that there are none', async () => {
  const listPublished = async () => ({ items: [], nextCursor: null });
  const landing = { listFeatured: async () => [], listPublished, findResource: async () => null };
  const front = await page('/', { landing });
  expect(front).toContain('has chosen nothing for this page yet');
  expect(front).not.toContain('#call"');
  expect(await page('/resources', { landing })).toContain('Nothing is published here yet');
});

test('a page of resources leads to the next one', async () => {
  const listPublished = async (cursor: string | null) => ({ items: [toyResource], nextCursor: cursor ? null : 'abc' });
  const landing = { listFeatured: async () => [], listPublished, findResource: async () => null };
  expect(await page('/resources', { landing })).toContain('href="/resources?cursor=abc"');
  expect(await page('/resources?cursor=abc', { landing })).not.toContain('cursor=');
});

test('clients of OpenAI are told which model a resource is', async () => {
  expect(await page('/resources/demo/haiku', publish({}))).toContain('<code>demo/haiku</code>');
});

test('a paused resource says so', async () => {
  expect(await page('/resources/demo/haiku', publish({ state: 'paused' }))).toContain('is paused');
});

test('pages load nothing from elsewhere and run no script', async () => {
  for (const path of ['/', '/docs', '/resources', '/resources/demo/haiku', '/sandbox', '/nothing']) {
    const shown = await page(path, { sandbox });
    expect(shown).not.toMatch(/<script|style=|\son\w+=|src="http|<link[^>]+href="http|@import/);
    expect(shown).toMatch(/^<!doctype html>\s*<html lang="en">/);
    expect(shown.match(/<h1/g)).toHaveLength(1);
    expect(shown).toMatch(/<main id="content"/);
  }
});

test('a browser gets a page for a lost path, a program gets problem+json', async () => {
  const { options } = toyOptions();
  const app = buildApp(options);
  const browser = await app.request('/lost', { headers: { Accept: 'text/html,*/*' } });
  expect([browser.status, browser.headers.get('content-type')]).toEqual([404, 'text/html; charset=UTF-8']);
  const program = await app.request('/lost');
  expect([program.status, program.headers.get('content-type')]).toEqual([404, 'application/problem+json']);
  const api = await app.request('/api/lost', { headers: { Accept: 'text/html' } });
  expect(api.headers.get('content-type')).toBe('application/problem+json');
});

test('style and mark are served from here, with validators', async () => {
  const { options } = toyOptions();
  const app = buildApp(options);
  const css = await app.request('/assets/site.css');
  expect(css.headers.get('content-type')).toBe('text/css; charset=utf-8');
  expect(await css.text()).not.toMatch(/url\(|@import/);
  expect((await app.request('/assets/mark.svg')).headers.get('etag')).not.toBeNull();
});

test('the OpenAPI document is valid and describes what is served', async () => {
  const document = JSON.parse(await page('/api/openapi.json')) as Record<string, never>;
  const result = await new Validator().validate(structuredClone(document));
  expect(result.errors).toBeUndefined();
  expect(result.valid).toBe(true);
  expect(document).toMatchObject({
    openapi: '3.1.0',
    servers: [{ url: 'https://farebox.test' }],
    paths: {
      '/api/notes/{id}': { patch: { operationId: 'notes.rename', parameters: [{ name: 'id', in: 'path' }] } },
      '/@{creator}/{slug}': { post: { operationId: 'resource.call' } },
    },
  });
  const create = document['paths']?.['/api/notes']?.['post'] as unknown;
  expect(create).toMatchObject({ 'x-scope': 'resources:write', requestBody: { required: true } });
});

test('the OpenAPI document lists the problems that each operation can answer with, by status', async () => {
  const document = JSON.parse(await page('/api/openapi.json')) as {
    paths: Record<string, Record<string, { responses: Record<string, object> }>>;
  };
  const codesOf = (method: string, path: string): Record<string, string[]> => {
    const responses = document.paths[path]?.[method]?.responses ?? {};
    const codes = Object.entries(responses).map(([status, response]) => {
      const [, listed = '[]'] = /"code":\{"enum":(\[[^\]]*\])/.exec(JSON.stringify(response)) ?? [];
      return [status, JSON.parse(listed)];
    });
    return Object.fromEntries(codes) as Record<string, string[]>;
  };
  expect(codesOf('patch', '/api/notes/{id}')).toEqual({
    200: [],
    400: ['invalid_input'],
    401: ['unauthenticated'],
    403: ['forbidden'],
    404: ['not_found'],
    413: ['too_large'],
    415: ['unsupported_media_type'],
    429: ['rate_limited'],
    500: ['internal'],
  });
  expect(Object.keys(codesOf('get', '/api/notes'))).toEqual(['200', '304', '400', '401', '429', '500']);
  expect(codesOf('get', '/readyz')).toEqual({ 200: [], 500: ['internal'], 503: ['unavailable'] });
});

test('the docs list every operation and every problem code', async () => {
  const shown = await page('/docs');
  for (const part of [
    'POST /api/notes',
    'PATCH /api/notes/:id',
    'resources:write',
    'settlement_pending',
    'PAYMENT-SIGNATURE',
    '/@creator/slug@3',
    '/api/resources/{id}/quote',
    'upload:&lt;id&gt;',
    'openrouter/connect',
    '/examples',
    '/compare',
    '/rollback',
    '/api/usage/summary',
  ]) {
    expect(shown).toContain(part);
  }
});
