import { beforeAll, describe, expect, test } from 'vitest';
import { countRuns, getChallenge, payFor, send, signFor, toOffer } from './support/paid-request.ts';
import { encodeHeader, makeAccount, signOffer, toEnvelope } from './support/pay.ts';
import { useApp, type Creator } from './support/start-app.ts';

const app = useApp();
let creator: Creator;
let resource: { id: string; url: string };

beforeAll(async () => {
  creator = await app.current.makeCreator('ada');
  resource = await creator.publish({ slug: 'essay' });
});

const transfersOf = async (address: string) => (await app.current.balanceOf(address)) - 10_000_000n;
const countCalls = async (payer: string) => {
  const { rows } = await app.current.database.system.query<{ state: string }>(
    'SELECT state FROM calls WHERE payer = $1',
    [payer.toLowerCase()],
  );
  return rows.map(({ state }) => state);
};

/** Nothing was charged; what was wrong is said instead of a new price. */
const untouched = (status: number, code: string) => ({ status, body: { code, charged: false } });

describe('without a payment', () => {
  test.each<[string, Parameters<typeof send>[1]]>([
    ['an empty POST', {}],
    ['a GET', { method: 'GET' }],
    ['a good body', { body: { topic: 'rivers' } }],
    ['a wrong body', { body: { nothing: 'that is known' } }],
    ['a broken body', { body: '{"topic":' }],
    ['a list', { body: [] }],
    ['text', { body: 'topic=rivers', headers: { 'Content-Type': 'text/plain' } }],
    ['a form', { body: 'topic=rivers', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }],
    ['an empty content type', { body: '{}', headers: { 'Content-Type': 'application/octet-stream' } }],
  ])('%s without a payment is told the price', async (_, sent) => {
    const { status, headers, body } = await send(resource.url, sent);
    expect(status).toBe(402);
    expect(headers.get('PAYMENT-REQUIRED')).toMatch(/^[A-Za-z0-9+/]+=*$/);
    expect(headers.get('Cache-Control')).toBe('no-store');
    expect(body).toMatchObject({ x402Version: 1, accepts: [{ maxAmountRequired: '10000', network: 'base-sepolia' }] });
  });

  test.each(['PUT', 'PATCH', 'DELETE', 'QUERY'])(
    '%s is refused before money, with and without a payment',
    async (method) => {
      const buyer = await app.current.makeBuyer();
      for (const sent of [{}, { payment: await payFor(buyer, resource.url) }]) {
        const refused = await send(resource.url, { method, body: { topic: 'x' }, ...sent });
        expect(refused).toMatchObject({ status: 405, body: { code: 'method_not_allowed', next: expect.any(String) } });
        expect(refused.headers.get('Allow')).toBe('GET, HEAD, POST, OPTIONS');
        expect(refused.headers.get('PAYMENT-REQUIRED')).toBeNull();
      }
      expect(await countCalls(buyer.address)).toEqual([]);
      expect(await transfersOf(buyer.address)).toBe(0n);
    },
  );

  test('the very first request of a server, with nothing in memory, is told the price', async () => {
    for (const [slug, sent] of [
      ['first-empty', {}],
      ['first-get', { method: 'GET' }],
      ['first-broken', { body: '{"topic":' }],
      ['first-text', { body: 'hello', headers: { 'Content-Type': 'text/plain' } }],
    ] as const) {
      const { url } = await creator.publish({ slug });
      expect((await send(url, sent)).status).toBe(402);
    }
  });

  test.each(['here', 'elsewhere'])(
    'HEAD gets the headers of the 402 and runs nothing, paid or not (%s)',
    async (where) => {
      const { url } = where === 'here' ? resource : await creator.publish({ slug: 'head' });
      const buyer = await app.current.makeBuyer();
      const payment = where === 'here' ? await payFor(buyer, url) : encodeHeader({ x402Version: 2 });
      for (const sent of [{}, { payment }]) {
        const response = await send(`${url}?topic=headless`, { method: 'HEAD', ...sent });
        expect(response.status).toBe(402);
        expect(response.headers.get('PAYMENT-REQUIRED')).not.toBeNull();
      }
      expect(countRuns(app.current, 'headless')).toBe(0);
      expect(await transfersOf(buyer.address)).toBe(0n);
    },
  );

  test('a call by id without a payment is told the price as well', async () => {
    const answer = await send(`${app.current.url}/api/execute`, { body: { resourceId: resource.id, input: {} } });
    expect(answer.status).toBe(402);
    expect(answer.headers.get('PAYMENT-REQUIRED')).not.toBeNull();
  });
});

describe('with a payment that stays good', () => {
  test.each<[string, Parameters<typeof send>[1], [status: number, code: string]]>([
    ['a missing parameter', { body: {} }, [400, 'invalid_input']],
    ['an empty body', {}, [400, 'invalid_input']],
    ['a wrong type', { body: { topic: 7 } }, [400, 'invalid_input']],
    ['too long a value', { body: { topic: 'x'.repeat(201) } }, [400, 'invalid_input']],
    ['a parameter too many', { body: { topic: 'rivers', model: 'another' } }, [400, 'invalid_input']],
    ['a list', { body: ['rivers'] }, [400, 'invalid_input']],
    ['broken JSON', { body: '{"topic":' }, [400, 'invalid_input']],
    ['text', { body: 'hello', headers: { 'Content-Type': 'text/plain' } }, [415, 'unsupported_media_type']],
    ['a megabyte', { body: { topic: 'x'.repeat(1_000_000) } }, [413, 'too_large']],
  ])('a paid call with %s is refused before anything moves', async (_, sent, refusal) => {
    const buyer = await app.current.makeBuyer();
    const payment = await payFor(buyer, resource.url);
    const refused = await send(resource.url, { ...sent, payment });
    expect(refused).toMatchObject(untouched(...refusal));
    expect(refused.headers.get('PAYMENT-REQUIRED')).toBeNull();
    expect(refused.headers.get('Access-Control-Allow-Origin')).toBe('*');
    expect(await countCalls(buyer.address)).toEqual([]);
    expect(await transfersOf(buyer.address)).toBe(0n);
    expect((await send(resource.url, { payment, body: { topic: 'rivers' } })).status).toBe(200);
    expect(await transfersOf(buyer.address)).toBe(-10_000n);
  });

  test('a paid call with wrong input is told which field is wrong', async () => {
    const buyer = await app.current.makeBuyer();
    const refused = await send(resource.url, { payment: await payFor(buyer, resource.url), body: { topic: 7 } });
    expect(refused.body['errors']).toMatchObject([{ path: '/topic', message: expect.any(String) }]);
  });
});

describe('a resource that cannot answer now', () => {
  const body = { topic: 'rivers' };

  /** What becomes of one payment while the resource is stopped and after it is mended. */
  async function payTwice(shop: { url: string }, steps: { stop(): Promise<unknown>; mend(): Promise<unknown> }) {
    const buyer = await app.current.makeBuyer();
    const payment = await payFor(buyer, shop.url);
    await steps.stop();
    const refused = await send(shop.url, { payment, body });
    const claimed = await countCalls(buyer.address);
    await steps.mend();
    const later = await send(shop.url, { payment, body });
    return {
      refused: refused.body,
      isChallenged: refused.headers.has('PAYMENT-REQUIRED'),
      retryAfter: refused.headers.get('Retry-After'),
      claimed,
      later: later.status,
      moved: await transfersOf(buyer.address),
    };
  }

  /** Refused while it is so, nothing claimed or moved; the same payment is taken when it is over. */
  const onlyLater = {
    refused: { status: 503, title: 'Resource unavailable', code: 'unavailable', charged: false },
    isChallenged: false,
    retryAfter: expect.stringMatching(/^[1-9]\d*$/),
    claimed: [],
    later: 200,
    moved: -10_000n,
  };

  test('a paused resource refuses a payment that stays good', async () => {
    const shop = await creator.publish({ slug: 'paused' });
    const seen = await payTwice(shop, {
      stop: () => creator.call('POST', `/api/resources/${shop.id}/pause`),
      mend: () => creator.call('POST', `/api/resources/${shop.id}/resume`),
    });
    expect(seen).toMatchObject(onlyLater);
  });

  test('a resource whose creator deleted the key refuses a payment that stays good', async () => {
    const bea = await app.current.makeCreator('bea');
    const apiKey = app.current.sandbox?.openRouter?.keys.healthy;
    const seen = await payTwice(await bea.publish({ slug: 'keyless' }), {
      stop: () => bea.call('DELETE', '/api/user/integrations/openrouter'),
      mend: () => bea.call('PUT', '/api/user/integrations/openrouter', { apiKey }),
    });
    expect(seen).toMatchObject(onlyLater);
  });

  test('a resource whose creator switched the key off refuses a payment that stays good', async () => {
    const cleo = await app.current.makeCreator('cleo');
    const turn = async (isEnabled: boolean) => {
      const answer = await cleo.call('PATCH', '/api/user/integrations/openrouter', { isEnabled });
      expect(answer.status).toBe(200);
    };
    const seen = await payTwice(await cleo.publish({ slug: 'off' }), {
      stop: () => turn(false),
      mend: () => turn(true),
    });
    expect(seen).toMatchObject(onlyLater);
  });

  test.each([
    ['is gone from the catalogue', { is_active: false }, { is_active: true }],
    ['has expired', { expiration_date: '2020-01-01' }, { expiration_date: null }],
  ])('a resource whose model %s refuses a payment that stays good', async (what, broken, whole) => {
    const modelId = what.startsWith('is') ? 'openai/gpt-4o' : 'openai/gpt-4.1-mini';
    const shop = await creator.publish({
      slug: what.replaceAll(' ', '-'),
      config: { modelId, systemPrompt: 'Write about {topic}{/topic}.', maxTokens: 50 },
    });
    const set = async (columns: Record<string, unknown>) => {
      const [[name, value] = []] = Object.entries(columns);
      await app.current.database.system.query(`UPDATE ai_models SET ${name} = $2 WHERE openrouter_id = $1`, [
        modelId,
        value,
      ]);
      await app.current.database.system.query(`SELECT pg_notify('models_changed', '')`);
      const tested = { headers: { 'X-Owner-Test': 'true' }, cookie: creator.cookie, body };
      // What has paused itself resumes itself within seconds.
      const seconds = { timeout: 30_000 };
      await expect.poll(async () => (await send(shop.url, tested)).status, seconds).toBe(columns === whole ? 200 : 503);
    };
    const seen = await payTwice(shop, { stop: () => set(broken), mend: () => set(whole) });
    expect(seen).toMatchObject(onlyLater);
  });

  test('an archived resource is gone, with a payment and without', async () => {
    const shop = await creator.publish({ slug: 'archived' });
    const buyer = await app.current.makeBuyer();
    const payment = await payFor(buyer, shop.url);
    await creator.call('POST', `/api/resources/${shop.id}/archive`);
    expect(await send(shop.url, { payment, body })).toMatchObject(untouched(410, 'gone'));
    expect(await send(shop.url, { body })).toMatchObject({ status: 410, body: { code: 'gone' } });
    expect(await transfersOf(buyer.address)).toBe(0n);
  });
});

describe('a payment that is not good', () => {
  test.each<[string, string, (offer: ReturnType<typeof toOffer>) => Promise<string>]>([
    [
      'from an empty wallet',
      'insufficient',
      async (offer) => encodeHeader(toEnvelope(2, offer, await signOffer(makeAccount(), offer))),
    ],
    [
      'for too little',
      'value_mismatch',
      async (offer) =>
        encodeHeader(toEnvelope(2, offer, await signOffer(await app.current.makeBuyer(), offer, { value: '9999' }))),
    ],
    [
      'to somebody else',
      'recipient',
      async (offer) =>
        encodeHeader(
          toEnvelope(2, offer, await signOffer(await app.current.makeBuyer(), offer, { to: makeAccount().address })),
        ),
    ],
    [
      'signed by somebody else',
      'signature',
      async (offer) => {
        const signed = await signOffer(makeAccount(), offer, { from: (await app.current.makeBuyer()).address });
        return encodeHeader(toEnvelope(2, offer, signed));
      },
    ],
    [
      'that has expired',
      'valid_before',
      async (offer) =>
        encodeHeader(toEnvelope(2, offer, await signOffer(await app.current.makeBuyer(), offer, { validBefore: '1' }))),
    ],
  ])('a payment %s gets a fresh 402 that says why', async (_, reason, make) => {
    const payment = await make(toOffer(await getChallenge(resource.url)));
    const topic = `a bad payment, ${reason}`;
    const refused = await send(resource.url, { payment, body: { topic } });
    expect(refused).toMatchObject({ status: 402, body: { x402Version: 1, error: expect.stringContaining(reason) } });
    expect(refused.settlement).toMatchObject({ success: false, errorReason: expect.stringContaining(reason) });
    expect(refused.headers.get('PAYMENT-REQUIRED')).not.toBeNull();
    expect(countRuns(app.current, topic)).toBe(0);
  });

  test.each(['not base64 at all', 'e30=', encodeHeader({ x402Version: 3 })])(
    'a payment header that is %s answers 400',
    async (payment) => {
      const refused = await send(resource.url, { payment, body: { topic: 'rivers' } });
      expect(refused).toMatchObject({ status: 400, body: { charged: false } });
    },
  );

  test.each(['constructor', '__proto__', 'solana', 'eip155:1'])(
    'a payment on the network %s gets the 402',
    async (network) => {
      const offer = toOffer(await getChallenge(resource.url));
      const v1 = toEnvelope(1, offer, await signOffer(makeAccount(), offer));
      const headers = { 'X-PAYMENT': encodeHeader({ ...v1, network }) };
      const refused = await send(resource.url, { headers, body: { topic: 'rivers' } });
      expect(refused).toMatchObject({ status: 402, body: { error: 'invalid_payment_requirements' } });
    },
  );

  test('a payment for an offer that was never made gets the 402', async () => {
    const required = await getChallenge(resource.url);
    const [accept] = required.accepts;
    const accepts = accept ? [{ ...accept, amount: '1' }] : [];
    const payment = await signFor(await app.current.makeBuyer(), { ...required, accepts });
    const refused = await send(resource.url, { payment, body: { topic: 'rivers' } });
    expect(refused).toMatchObject({ status: 402, body: { error: 'invalid_payment_requirements' } });
  });
});
