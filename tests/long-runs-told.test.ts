import { randomBytes, randomUUID } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import type { PrivateKeyAccount } from 'viem/accounts';
import { afterAll, describe, expect, test } from 'vitest';
import { startCallbackReceiver } from './support/callback-receiver.ts';
import { ask, newTopic, readEvents, respondAsync, untilDone, useLongWorld } from './support/long-world.ts';
import { payFor, send } from './support/paid-request.ts';
import { makeAccount } from './support/pay.ts';
import { signIn } from './support/sign-in.ts';

/* Who is told how a call behind a 202 stands, and how. */
const receiver = await startCallbackReceiver();
const world = useLongWorld({ CALLBACK_ORIGINS: receiver.origin });
afterAll(() => receiver.close());

describe('whoever has not shown to be the buyer', () => {
  test('learns nothing, not even whether there is such a call', async () => {
    const { url } = await world.current.publish();
    const [mine, other] = [await world.current.begin(url), await world.current.begin(url)];
    const unknown = `${world.current.app.url}/api/calls/${randomUUID()}`;
    const made = await world.current.creator.call('POST', '/api/user/api-keys', { label: 'k', scopes: ['usage:read'] });
    const { secret: apiKey } = made.body as { secret: string };
    expect(apiKey).toMatch(/^fbx_/);
    const shown: Record<string, string>[] = [
      {},
      other.bearer,
      { Authorization: `Bearer ${apiKey}` },
      { Cookie: world.current.creator.cookie },
      { 'X-Farebox-Answer-Token': String(other.accepted.headers.get('X-Farebox-Answer-Token')) },
    ];
    for (const [method, part] of [
      ['GET', ''],
      ['GET', '/result'],
      ['DELETE', ''],
      ['POST', '/cancel'],
    ] as const) {
      for (const headers of shown) {
        const [there, nowhere] = [
          await ask(`${mine.statusUrl}${part}`, headers, method),
          await ask(`${unknown}${part}`, headers, method),
        ];
        expect(there.status).toBe(401);
        const bare = ({ status, body }: typeof there) => ({ status, ...body, requestId: null, extensions: null });
        expect(bare(there)).toEqual(bare(nowhere));
        expect(Object.keys(there.body)).toEqual(Object.keys(nowhere.body));
      }
    }
  });

  test('is the buyer by the answer token, or by a signature of the wallet that paid', async () => {
    const { url } = await world.current.publish();
    const { accepted, statusUrl, buyer } = await world.current.begin(url);
    const token = { 'X-Farebox-Answer-Token': String(accepted.headers.get('X-Farebox-Answer-Token')) };
    expect((await ask(statusUrl, { ...token, ...untilDone })).body).toMatchObject({ state: 'succeeded' });
    const refused = await ask(statusUrl, {});
    const signedBy = async (account: PrivateKeyAccount) => ({ 'SIGN-IN-WITH-X': await signIn(refused, account) });
    expect(await ask(`${statusUrl}/result`, await signedBy(buyer))).toMatchObject({ status: 200 });
    expect(await ask(statusUrl, await signedBy(makeAccount()))).toMatchObject({ status: 401 });
  });

  test('finds no token in the database or the log: only a digest is stored', async () => {
    const { url } = await world.current.publish();
    const { accepted } = await world.current.begin(url, {
      headers: { ...respondAsync, 'X-Farebox-Callback': receiver.origin },
    });
    const secrets = [accepted.body['statusToken'], accepted.body['callbackSecret']].map(String);
    const { rows } = await world.current.app.database.system.query<{ text: string }>(
      `SELECT coalesce(string_agg(t::text, ' '), '') || (SELECT string_agg(c::text, ' ') FROM calls c) AS text FROM long_calls t`,
    );
    const kept = `${rows[0]?.text} ${world.current.app.logged.join(' ')}`;
    expect(
      secrets.filter((secret) => secret.length < 20 || kept.includes(secret.replace(/^(fbs|whsec)_/, ''))),
    ).toEqual([]);
  });
});

test('whoever has gone holds no place, and more than eight do not wait for one call', async () => {
  const { url } = await world.current.publish();
  const { statusUrl, bearer } = await world.current.begin(url, { at: 1 });
  const readers = await Promise.all(Array.from({ length: 8 }, () => readEvents(statusUrl, bearer)));
  await Promise.all(readers.map(({ next }) => next()));
  const waiting = () => ask(statusUrl, { ...bearer, Prefer: 'wait=1' });
  expect(await waiting()).toMatchObject({ status: 429, body: { code: 'rate_limited' } });
  await readers[0]?.leave();
  await expect.poll(async () => (await waiting()).status, { timeout: 20_000 }).toBe(200);
  world.current.source.release();
  await Promise.all(readers.slice(1).map(({ leave }) => leave()));
});

test('a call that was given up while nobody looked is said to be uncharged once the chain was asked', async () => {
  const { url } = await world.current.publish();
  const { accepted, statusUrl, bearer, topic } = await world.current.begin(url, { at: 1 });
  const left = world.current.source.untilLeft(topic);
  const { rowCount } = await world.current.app.database.system.query(
    `UPDATE calls SET deadline = now() - interval '1 second' WHERE id = $1 AND state = 'running'`,
    [accepted.body['callId']],
  );
  expect(rowCount).toBe(1);
  const done = await ask(statusUrl, { ...bearer, ...untilDone });
  expect(done.body).toMatchObject({ state: 'failed', problem: expect.any(Object) });
  await left;
  world.current.source.release();
  await expect
    .poll(async () => (await ask(statusUrl, bearer)).body, { timeout: 20_000 })
    .toMatchObject({ charged: false, receipt: { charged: false, paidUsdc: '0' } });
});

describe('a callback', () => {
  const wanted = () => ({
    ...respondAsync,
    'X-Farebox-Callback': `${receiver.origin}/${randomBytes(6).toString('hex')}`,
  });
  const arrived = async (headers: { 'X-Farebox-Callback': string }, count = 1) => {
    const path = new URL(headers['X-Farebox-Callback']).pathname;
    const here = () => receiver.received.filter((one) => one.path === path);
    await expect.poll(() => here().length, { timeout: 30_000 }).toBe(count);
    return here();
  };

  test('tells the end with the receipt, signed as Standard Webhooks says, and never the answer', async () => {
    const { url } = await world.current.publish();
    const headers = wanted();
    const { accepted, statusUrl } = await world.current.begin(url, { headers });
    const [sent] = await arrived(headers);
    const webhook = new Webhook(String(accepted.body['callbackSecret']));
    const told = webhook.verify(sent?.body ?? '', sent?.headers ?? {});
    expect(told).toMatchObject({
      type: 'call.succeeded',
      data: { state: 'succeeded', statusUrl, charged: true, receipt: { paidUsdc: '0.01' } },
    });
    expect(sent?.body).not.toMatch(/one two three|fbs_|whsec_/);
    expect(() => webhook.verify(`${sent?.body} `, sent?.headers ?? {})).toThrow(/signature/i);
  });

  test('comes again until it is taken, as the same message, and tells a failure too', async () => {
    const { url } = await world.current.publish();
    const headers = wanted();
    receiver.refuse(new URL(headers['X-Farebox-Callback']).pathname, 500);
    await world.current.begin(url, { headers, chunks: [{ fail: true }] });
    const [first] = await arrived(headers);
    await world.current.app.database.system.query(
      'UPDATE long_calls SET callback_due_at = now() WHERE callback_due_at IS NOT NULL',
    );
    const [, second] = await arrived(headers, 2);
    expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
    expect(JSON.parse(second?.body ?? '')).toMatchObject({ type: 'call.failed', data: { charged: false } });
    // Taken: nothing is due any more, and its URL is forgotten.
    const due = 'SELECT 1 FROM long_calls WHERE callback_url = $1';
    const { database } = world.current.app;
    await expect.poll(async () => (await database.system.query(due, [headers['X-Farebox-Callback']])).rows).toEqual([]);
  });

  test('is not made for an answer that came at once, whose caller was told no secret to judge it by', async () => {
    const { url } = await world.current.publish();
    const headers = { ...wanted(), Prefer: 'respond-async, wait=30' };
    const [buyer, topic] = [await world.current.app.makeBuyer(), newTopic()];
    const answered = await send(url, { payment: await payFor(buyer, url), body: { topic }, headers });
    expect(answered).toMatchObject({ status: 200, body: { response: 'one two three' } });
    const { callId } = answered.body['receipt'] as { callId: string };
    const text = 'SELECT callback_url, callback_due_at, callback_tries FROM long_calls WHERE call_id = $1';
    const { rows } = await world.current.app.database.system.query(text, [callId]);
    expect(rows).toEqual([{ callback_url: null, callback_due_at: null, callback_tries: 0 }]);
  });

  test.each([
    [
      'an address of a private network',
      { ...respondAsync, 'X-Farebox-Callback': 'https://10.0.0.1/x' },
      /X-Farebox-Callback.*public internet/,
    ],
    [
      'plain http',
      { ...respondAsync, 'X-Farebox-Callback': 'http://example.com/x' },
      /X-Farebox-Callback.*https.*CALLBACK_ORIGINS/,
    ],
    ['what is no URL', { ...respondAsync, 'X-Farebox-Callback': 'here' }, /X-Farebox-Callback.*not a URL/],
    ['a call that is answered at once', { 'X-Farebox-Callback': 'https://example.com/x' }, /answered later/],
  ])('to %s is refused before any payment', async (_, headers, says) => {
    const { url } = await world.current.publish();
    const buyer = await world.current.app.makeBuyer();
    expect(await send(url, { body: { topic: newTopic() }, headers })).toMatchObject({
      status: 400,
      body: { code: 'invalid_input', detail: expect.stringMatching(says) },
    });
    const refused = await send(url, { payment: await payFor(buyer, url), body: { topic: newTopic() }, headers });
    expect(refused).toMatchObject({ status: 400, body: { code: 'invalid_input', charged: false } });
    expect(refused.body['detail']).toMatch(says);
  });
});
