import axios from 'axios';
import { wrapAxiosWithPayment, x402Client as AxiosClient } from '@x402/axios';
import { x402HTTPClient } from '@x402/core/client';
import { ExactEvmScheme } from '@x402/evm/exact/client';
import { ExactEvmSchemeV1 } from '@x402/evm/v1';
import { extractDiscoveryInfo, validateDiscoveryExtension, type DiscoveryExtension } from '@x402/extensions/bazaar';
import { decodePaymentResponseHeader, wrapFetchWithPayment, x402Client } from '@x402/fetch';
import type { PrivateKeyAccount } from 'viem/accounts';
import { beforeAll, describe, expect, test } from 'vitest';
import { getChallenge, send } from './support/paid-request.ts';
import { makeAccount } from './support/pay.ts';
import { useApp, type Creator } from './support/start-app.ts';

const app = useApp();
const json = { 'Content-Type': 'application/json' };
let creator: Creator;
let url: string;

beforeAll(async () => {
  creator = await app.current.makeCreator('ada');
  ({ url } = await creator.publish({ slug: 'essay' }));
});

const officialClient = (buyer: PrivateKeyAccount) => new x402Client().register('eip155:*', new ExactEvmScheme(buyer));
const officialClientV1 = (buyer: PrivateKeyAccount) =>
  new x402Client().registerV1('base-sepolia', new ExactEvmSchemeV1(buyer));

/** Exactly the price has gone from buyer to creator by the transaction that the receipt names. */
async function expectPaid(buyer: PrivateKeyAccount, payee: string, body: unknown): Promise<void> {
  expect(await app.current.balanceOf(buyer.address)).toBe(9_990_000n);
  expect(await app.current.balanceOf(payee)).toBe(10_000n);
  expect(body).toMatchObject({
    response: expect.any(String),
    usage: { input_tokens: expect.any(Number), output_tokens: expect.any(Number) },
    receipt: { paidUsdc: '0.01', network: 'eip155:84532', payer: buyer.address.toLowerCase() },
  });
}

/** A payee of its own for each test, so that its balance tells one payment. */
async function publishApart(slug: string, fields: Record<string, unknown> = {}) {
  const payTo = makeAccount().address;
  return { payTo, ...(await creator.publish({ slug, payTo, ...fields })) };
}

describe('official clients, unmodified', () => {
  test('@x402/fetch pays a POST', async () => {
    const { url: apart, payTo } = await publishApart('fetch-post');
    const buyer = await app.current.makeBuyer();
    const response = await wrapFetchWithPayment(fetch, officialClient(buyer))(apart, {
      method: 'POST',
      headers: json,
      body: JSON.stringify({ topic: 'rivers' }),
    });
    expect(response.status).toBe(200);
    await expectPaid(buyer, payTo, await response.json());
    const settled = decodePaymentResponseHeader(response.headers.get('PAYMENT-RESPONSE') ?? '');
    expect(settled).toMatchObject({ success: true, payer: buyer.address.toLowerCase(), network: 'eip155:84532' });
  });

  test('@x402/fetch pays a GET whose query holds the parameters', async () => {
    const { url: apart, payTo } = await publishApart('fetch-get', {
      parameters: [
        { name: 'topic', type: 'string' },
        { name: 'lines', type: 'integer', minimum: 1, maximum: 9 },
        { name: 'rhymes', type: 'boolean', default: false },
      ],
      config: {
        modelId: 'openai/gpt-4o-mini',
        systemPrompt: '{topic}{/topic} in {lines}{/lines} lines; rhymes: {rhymes}{/rhymes}.',
        maxTokens: 60,
      },
    });
    const buyer = await app.current.makeBuyer();
    const query = new URLSearchParams({ topic: 'snow & ice {lines}', lines: '3', rhymes: 'true' });
    const response = await wrapFetchWithPayment(fetch, officialClient(buyer))(`${apart}?${query.toString()}`);
    expect(response.status).toBe(200);
    await expectPaid(buyer, payTo, await response.json());
    const asked = app.current.sandbox?.openRouter?.control.requests.at(-1);
    expect(JSON.stringify(asked?.body)).toContain('snow & ice {lines} in 3 lines; rhymes: true.');
  });

  test('@x402/axios pays', async () => {
    const { url: apart, payTo } = await publishApart('axios');
    const buyer = await app.current.makeBuyer();
    const client = wrapAxiosWithPayment(
      axios.create(),
      new AxiosClient().register('eip155:*', new ExactEvmScheme(buyer)),
    );
    const response = await client.post(apart, { topic: 'rivers' });
    expect(response.status).toBe(200);
    await expectPaid(buyer, payTo, response.data);
    expect(decodePaymentResponseHeader(String(response.headers['payment-response']))).toMatchObject({ success: true });
  });

  test('@x402/fetch pays by id', async () => {
    const { id, url: apart, payTo } = await publishApart('by-id');
    const buyer = await app.current.makeBuyer();
    const response = await wrapFetchWithPayment(fetch, officialClient(buyer))(`${app.current.url}/api/execute`, {
      method: 'POST',
      headers: json,
      body: JSON.stringify({ resourceId: id, input: { topic: 'rivers' } }),
    });
    expect(response.status).toBe(200);
    const body = await response.json();
    expect(body).toMatchObject({ receipt: { resource: apart } });
    await expectPaid(buyer, payTo, body);
  });

  test('a v1 client with an empty purse is told so in its own header', async () => {
    const client = officialClientV1(makeAccount());
    const http = new x402HTTPClient(client);
    const request = { method: 'POST', headers: json, body: JSON.stringify({ topic: 'rivers' }) };
    const required = http.getPaymentRequiredResponse(() => null, await (await fetch(url, request)).json());
    const headers = http.encodePaymentSignatureHeader(await client.createPaymentPayload(required));
    const refused = await fetch(url, { ...request, headers: { ...json, ...headers } });
    expect(refused.status).toBe(402);
    expect(await refused.json()).toMatchObject({ x402Version: 1, error: expect.stringContaining('insufficient') });
    expect(decodePaymentResponseHeader(refused.headers.get('X-PAYMENT-RESPONSE') ?? '')).toMatchObject({
      success: false,
      network: 'base-sepolia',
    });
  });

  test('a v1 client reads the body of the 402, sends X-PAYMENT and reads X-PAYMENT-RESPONSE', async () => {
    const { url: apart, payTo } = await publishApart('old-client');
    const buyer = await app.current.makeBuyer();
    const client = officialClientV1(buyer);
    const http = new x402HTTPClient(client);
    const request = { method: 'POST', headers: json, body: JSON.stringify({ topic: 'rivers' }) };
    const challenged = await fetch(apart, request);
    expect(challenged.status).toBe(402);
    // A v1 client knows no PAYMENT-REQUIRED header.
    const required = http.getPaymentRequiredResponse(() => null, await challenged.json());
    expect(required.x402Version).toBe(1);
    const headers = http.encodePaymentSignatureHeader(await client.createPaymentPayload(required));
    expect(Object.keys(headers)).toEqual(['X-PAYMENT']);
    const response = await fetch(apart, { ...request, headers: { ...json, ...headers } });
    expect(response.status).toBe(200);
    await expectPaid(buyer, payTo, await response.json());
    expect(response.headers.get('PAYMENT-RESPONSE')).toBeNull();
    const settled = http.getPaymentSettleResponse((name) =>
      name === 'PAYMENT-RESPONSE' ? null : response.headers.get(name),
    );
    expect(settled).toMatchObject({ success: true, network: 'base-sepolia', payer: buyer.address.toLowerCase() });
  });

  test('@x402/fetch with only v1 registered pays where the v2 header does not reach it', async () => {
    const { url: apart, payTo } = await publishApart('old-fetch');
    const buyer = await app.current.makeBuyer();
    const withoutV2 = async (input: Parameters<typeof fetch>[0], init?: RequestInit): Promise<Response> => {
      const response = await fetch(input, init);
      const headers = new Headers(response.headers);
      headers.delete('PAYMENT-REQUIRED');
      return new Response(response.body, { status: response.status, headers });
    };
    const response = await wrapFetchWithPayment(withoutV2, officialClientV1(buyer))(apart, {
      method: 'POST',
      headers: json,
      body: JSON.stringify({ topic: 'rivers' }),
    });
    expect(response.status).toBe(200);
    await expectPaid(buyer, payTo, await response.json());
  });
});

describe('the challenge', () => {
  test('tells the parameters as a bazaar extension that the SDK accepts', async () => {
    const required = await getChallenge(url);
    const bazaar = required.extensions?.['bazaar'] as DiscoveryExtension;
    expect(validateDiscoveryExtension(bazaar)).toEqual({ valid: true });
    expect(JSON.stringify(bazaar)).toContain('"topic"');
    const [accept] = required.accepts;
    const payload = { x402Version: 2, resource: required.resource, accepted: accept, payload: {} };
    const found = extractDiscoveryInfo({ ...payload, extensions: required.extensions } as never, accept as never);
    expect(found).toMatchObject({ resourceUrl: url, method: 'POST', x402Version: 2 });
  });

  test('of a resource with 40 parameters stays under 8 KB, valid, and can be paid', async () => {
    const parameters = Array.from({ length: 40 }, (_, index) => ({
      name: `parameter_number_${index}`,
      type: 'string',
      description: `What the ${index}th of forty parameters is good for, told at some length: ${'so that it grows '.repeat(6)}`,
      required: index === 0,
      ...(index === 0 ? { maxLength: 100 } : { default: 'nothing in particular' }),
    }));
    const systemPrompt = parameters.map(({ name }) => `{${name}}{/${name}}`).join(' ');
    const { url: apart, payTo } = await publishApart('forty', {
      parameters,
      acceptsLoss: { maxLossUsdPerCall: '1' },
      config: { modelId: 'openai/gpt-4o-mini', systemPrompt, maxTokens: 60 },
    });
    const challenged = await fetch(apart, { method: 'POST' });
    const size = [...challenged.headers].reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0);
    expect(size).toBeLessThan(8192);
    const required = await getChallenge(apart);
    expect(validateDiscoveryExtension(required.extensions?.['bazaar'] as DiscoveryExtension)).toEqual({ valid: true });
    const buyer = await app.current.makeBuyer();
    const response = await wrapFetchWithPayment(fetch, officialClient(buyer))(apart, {
      method: 'POST',
      headers: json,
      body: JSON.stringify({ parameter_number_0: 'rivers' }),
    });
    expect(response.status).toBe(200);
    await expectPaid(buyer, payTo, await response.json());
  });
});

describe('a browser on another origin', () => {
  const origin = 'https://app.example';

  test.each(['PAYMENT-SIGNATURE', 'X-PAYMENT', 'Access-Control-Expose-Headers'])('may send %s', async (name) => {
    const { status, headers } = await send(url, {
      method: 'OPTIONS',
      headers: {
        Origin: origin,
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': `content-type,${name.toLowerCase()}`,
      },
    });
    expect(status).toBe(204);
    expect(headers.get('Access-Control-Allow-Origin')).toBe('*');
    expect(headers.get('Access-Control-Allow-Methods')).toContain('POST');
    const allowed = (headers.get('Access-Control-Allow-Headers') ?? '').toLowerCase().split(/, */);
    expect(allowed).toEqual(expect.arrayContaining(['content-type', name.toLowerCase()]));
  });

  test('may send what tracing and SDKs add to a request', async () => {
    const asked = 'authorization,baggage,content-type,sentry-trace,traceparent,x-stainless-retry-count';
    const preflight = (requested: string, at = url) =>
      send(at, {
        method: 'OPTIONS',
        headers: {
          Origin: origin,
          'Access-Control-Request-Method': 'POST',
          'Access-Control-Request-Headers': requested,
        },
      });
    for (const at of [url, `${app.current.url}/api/execute`, `${app.current.url}/api/resources`]) {
      const { status, headers } = await preflight(asked, at);
      expect(status).toBe(204);
      expect(headers.get('Access-Control-Allow-Headers')).toBe(asked);
      expect(headers.get('Access-Control-Allow-Origin')).toBe('*');
      expect(headers.get('Access-Control-Allow-Credentials')).toBeNull();
      expect(headers.get('Vary')).toContain('Access-Control-Request-Headers');
    }
    for (const odd of ['x;y', 'a b', 'x'.repeat(3000), 'é']) {
      const { status, headers } = await preflight(odd);
      expect(status).toBe(204);
      expect(headers.get('Access-Control-Allow-Headers')).toMatch(/^Content-Type, PAYMENT-SIGNATURE/);
    }
  });

  test('reads what it is told about refusals', async () => {
    const body = { topic: 'rivers' };
    const unreadable = await send(url, { headers: { Origin: origin }, payment: 'nonsense', body });
    const lost = await send(`${app.current.url}/@ada/nothing`, { headers: { Origin: origin }, body });
    const put = await send(url, { method: 'PUT', headers: { Origin: origin }, body });
    expect([unreadable, lost, put].map(({ status }) => status)).toEqual([400, 404, 405]);
    for (const { headers } of [unreadable, lost, put]) {
      expect(headers.get('Access-Control-Allow-Origin')).toBe('*');
      const exposed = headers.get('Access-Control-Expose-Headers') ?? '';
      const told = ['PAYMENT-REQUIRED', 'PAYMENT-RESPONSE', 'X-Farebox-Answer-Token', 'Allow', 'Retry-After'];
      expect(told.filter((name) => !exposed.includes(name))).toEqual([]);
    }
  });

  test('reads the challenge and the receipt', async () => {
    const challenged = await send(url, { headers: { Origin: origin }, body: { topic: 'rivers' } });
    expect(challenged.headers.get('Access-Control-Allow-Origin')).toBe('*');
    expect(challenged.headers.get('Access-Control-Expose-Headers')).toContain('PAYMENT-REQUIRED');
    const buyer = await app.current.makeBuyer();
    const paid = await wrapFetchWithPayment(fetch, officialClient(buyer))(url, {
      method: 'POST',
      headers: { ...json, Origin: origin },
      body: JSON.stringify({ topic: 'rivers' }),
    });
    expect(paid.status).toBe(200);
    expect(paid.headers.get('Access-Control-Allow-Origin')).toBe('*');
    expect(paid.headers.get('Access-Control-Expose-Headers')).toMatch(/PAYMENT-RESPONSE.*X-PAYMENT-RESPONSE/);
  });
});
