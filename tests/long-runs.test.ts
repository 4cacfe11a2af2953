import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { ask, newTopic, readEvents, respondAsync, untilDone, useLongWorld, type Fields } from './support/long-world.ts';
import { payFor, send } from './support/paid-request.ts';

/* Calls that are answered with 202 and carried out behind it, through the whole app. */
const world = useLongWorld();

describe('a call that its buyer wants answered later', () => {
  test('is answered with 202, can be followed by its token, and its answer is the one that the call itself would give', async () => {
    const { url } = await world.current.publish();
    const before = await world.current.earned();
    const { accepted, topic, statusUrl, bearer, buyer } = await world.current.begin(url, { at: 1 });
    expect(Object.fromEntries(accepted.headers)).toMatchObject({
      'preference-applied': 'respond-async',
      'retry-after': '2',
      'cache-control': 'private, no-store',
      'access-control-expose-headers': expect.stringMatching(/Location, Preference-Applied/),
    });
    expect(accepted.body).toMatchObject({
      state: 'running',
      charged: null,
      receipt: null,
      problem: null,
      statusToken: expect.stringMatching(/^fbs_[\w-]{20,}$/),
      statusUrl,
      resource: url,
    });
    expect(Date.parse(String(accepted.body['expiresAt']))).toBeGreaterThan(Date.now() + 23 * 3_600_000);
    expect(accepted.settlement).toBe(null);
    expect((await ask(statusUrl, bearer)).body).toMatchObject({ state: 'running', charged: null });
    expect(await ask(`${statusUrl}/result`, bearer)).toMatchObject({ status: 202, body: { state: 'running' } });
    expect(await world.current.earned()).toBe(before);
    world.current.source.release();
    const done = await ask(statusUrl, { ...bearer, ...untilDone });
    expect(done).toMatchObject({
      status: 200,
      body: {
        state: 'succeeded',
        charged: true,
        receipt: { paidUsdc: '0.01', resource: url },
        retryAfterSeconds: null,
      },
    });
    expect(done.body).not.toHaveProperty('statusToken');
    const result = await ask(`${statusUrl}/result`, bearer);
    expect(result).toMatchObject({
      status: 200,
      body: { response: 'one two three', simulated: true, receipt: { payer: buyer.address.toLowerCase() } },
      settlement: { success: true },
    });
    expect(result.body['receipt']).toEqual(done.body['receipt']);
    expect(await world.current.earned()).toBe(before + 10_000n);
    expect(world.current.source.countRuns(topic)).toBe(1);
  });

  test('tells its progress and its end by server-sent events', async () => {
    const { url } = await world.current.publish();
    const { statusUrl, bearer } = await world.current.begin(url, { at: 2 });
    const { response, next } = await readEvents(statusUrl, bearer);
    expect(response.headers.get('Content-Type')).toMatch(/^text\/event-stream/);
    expect(await next()).toMatchObject({ event: 'state', data: { state: 'running' } });
    expect(await next()).toMatchObject({ event: 'progress', data: { percent: expect.any(Number) } });
    world.current.source.release();
    const rest: Awaited<ReturnType<typeof next>>[] = [];
    for (let event = await next(); event !== null; event = await next()) {
      rest.push(event);
    }
    expect(rest.map((event) => event?.event)).toContain('receipt');
    expect(rest.slice(-2)).toMatchObject([
      { event: 'state', data: { state: 'succeeded' } },
      { event: 'done', data: { state: 'succeeded', receipt: { paidUsdc: '0.01' } } },
    ]);
  });

  test('is answered at once where the answer comes within the time that the buyer waits', async () => {
    const { url } = await world.current.publish();
    const [buyer, topic] = [await world.current.app.makeBuyer(), newTopic()];
    const headers = { Prefer: 'respond-async, wait=30' };
    const answered = await send(url, { payment: await payFor(buyer, url), body: { topic }, headers });
    expect(answered).toMatchObject({ status: 200, body: { response: 'one two three', receipt: { paidUsdc: '0.01' } } });
    expect(answered.headers.has('Preference-Applied')).toBe(false);
  });

  test('meets the same payment with how it stands, and in the end with its answer', async () => {
    const { url } = await world.current.publish();
    const { again, statusUrl, bearer, topic, buyer } = await world.current.begin(url, { at: 0 });
    const met = await again({});
    expect(met).toMatchObject({ status: 202, body: { state: 'running', statusUrl } });
    expect(met.body).not.toHaveProperty('statusToken');
    world.current.source.release();
    await ask(statusUrl, { ...bearer, ...untilDone });
    expect(await again()).toMatchObject({ status: 200, body: { response: 'one two three' } });
    expect(world.current.source.countRuns(topic)).toBe(1);
    expect(await world.current.spentBy(buyer)).toBe(10_000n);
  });

  test.each([
    ['at_first_output', 'parts'],
    ['on_success', 'bytes'],
  ])('paid %s and answered with %s has the same answer', async (settlementPoint, form) => {
    const { url } = await world.current.publish({
      settlementPoint,
      config: { source: world.current.source.url, form },
    });
    const { statusUrl, bearer } = await world.current.begin(url);
    expect((await ask(statusUrl, { ...bearer, ...untilDone })).body).toMatchObject({ state: 'succeeded' });
    const result = await fetch(`${statusUrl}/result`, { headers: bearer });
    expect(result.headers.get('PAYMENT-RESPONSE')).not.toBe(null);
    expect(await result.text()).toMatch(/one two three/);
  });

  test('runs from the files and the query that it came with, by the version that was named', async () => {
    const { url } = await world.current.publish();
    const [buyer, topic] = [await world.current.app.makeBuyer(), newTopic()];
    const pinned = `${url}@1`;
    const payment = await payFor(buyer, pinned);
    const accepted = await send(`${pinned}?topic=${encodeURIComponent(topic)}`, {
      method: 'GET',
      payment,
      headers: respondAsync,
    });
    const bearer = { Authorization: `Bearer ${String(accepted.body['statusToken'])}` };
    const done = await ask(String(accepted.body['statusUrl']), { ...bearer, ...untilDone });
    expect(done.body).toMatchObject({
      state: 'succeeded',
      resource: pinned,
      receipt: { resource: pinned, version: 1 },
    });
  });

  test('fails without a charge, which its state says with the receipt, and the payment may be used again', async () => {
    const { url } = await world.current.publish();
    const { statusUrl, bearer, buyer, again } = await world.current.begin(url, { chunks: [{ fail: true }] });
    const status = await ask(statusUrl, { ...bearer, ...untilDone });
    expect(status.body).toMatchObject({
      state: 'failed',
      charged: false,
      problem: { code: 'upstream_failed', detail: expect.stringMatching(/Nothing was charged/) },
      receipt: { charged: false, paidUsdc: '0', transaction: null },
    });
    const result = await ask(`${statusUrl}/result`, bearer);
    expect(result).toMatchObject({
      status: 502,
      body: { code: 'upstream_failed', charged: false, receipt: { paidUsdc: '0' } },
    });
    expect(await world.current.spentBy(buyer)).toBe(0n);
    expect(await again()).toMatchObject({ status: 202 });
  });

  test('is refused at once for what refuses every call, and nothing is left of it', async () => {
    const { url } = await world.current.publish();
    const buyer = await world.current.app.makeBuyer();
    const payment = await payFor(buyer, url);
    const refused = await send(url, { payment, body: { subject: 'x' }, headers: respondAsync });
    expect(refused).toMatchObject({ status: 400, body: { code: 'invalid_input', charged: false } });
    expect(await send(url, { body: { topic: 'x' }, headers: respondAsync })).toMatchObject({ status: 402 });
  });
});

describe('a version that runs long', () => {
  const long = { runsLong: true, timeoutSeconds: 3_600, settlementPoint: 'upfront' };

  test('is paid first, says so in its 402 and views, and every call is answered with 202 and its receipt', async () => {
    const { url, id } = await world.current.publish(long);
    const view = (await send(`${world.current.app.url}/api/resources/${id}`, { method: 'GET' })).body;
    expect(view).toMatchObject({ runsLong: true, timeoutSeconds: 3_600, settlementPoint: 'upfront' });
    const { accepted, statusUrl, bearer } = await world.current.begin(url, { at: 1, headers: {} });
    expect(accepted.settlement).toMatchObject({ success: true });
    expect(accepted.body).toMatchObject({ state: 'running', charged: true, receipt: { paidUsdc: '0.01' } });
    expect(accepted.headers.has('Preference-Applied')).toBe(false);
    world.current.source.release();
    expect((await ask(statusUrl, { ...bearer, ...untilDone })).body).toMatchObject({ state: 'succeeded' });
    expect(await ask(`${statusUrl}/result`, bearer)).toMatchObject({
      status: 200,
      body: { response: 'one two three' },
    });
  });

  test('is owed where its run fails, and run again without a charge', async () => {
    const { url } = await world.current.publish(long);
    const { statusUrl, bearer, topic, buyer } = await world.current.begin(url, {
      at: 0,
      chunks: [{ text: '' }, { fail: true }],
    });
    world.current.source.script(topic, [{ text: 'after all' }]);
    world.current.source.release();
    const done = await ask(statusUrl, { ...bearer, ...untilDone });
    expect(done.body).toMatchObject({ state: 'succeeded', charged: true });
    expect(world.current.source.countRuns(topic)).toBe(2);
    expect(await world.current.spentBy(buyer)).toBe(10_000n);
  });

  test('is run again when its buyer asks for it, after the runs that nobody asks for', async () => {
    const { url } = await world.current.publish(long);
    const { accepted, statusUrl, bearer, topic } = await world.current.begin(url, { at: 0, chunks: [{ fail: true }] });
    const { database } = world.current.app;
    const run = database.system.query(`UPDATE calls SET runs = 5 WHERE id = $1 AND state = 'fulfilling'`, [
      accepted.body['callId'],
    ]);
    expect((await run).rowCount).toBe(1);
    // Only the latest run of a call may end it.
    expect(world.current.source.countRuns(topic)).toBe(1);
    world.current.source.release();
    await database.system.query(
      `UPDATE calls SET state = 'owed', updated_at = now() - interval '2 hours' WHERE id = $1 AND state = 'fulfilling'`,
      [accepted.body['callId']],
    );
    world.current.source.script(topic, [{ text: 'at last' }]);
    expect((await ask(statusUrl, { ...bearer, ...untilDone })).body).toMatchObject({
      state: 'succeeded',
      charged: true,
    });
    expect(await ask(`${statusUrl}/result`, bearer)).toMatchObject({ body: { response: 'at last' } });
  });

  test.each<[string, Fields, string]>([
    ['more than ten minutes without it', { timeoutSeconds: 601, settlementPoint: 'upfront' }, '/timeoutSeconds'],
    ['more than ten minutes on trust', { ...long, settlementPoint: 'on_success' }, '/settlementPoint'],
    ['no price', { runsLong: true, priceUsdc: '0', network: null, payTo: null }, '/runsLong'],
  ])('is not published with %s', async (_, fields, path) => {
    const draft = {
      kind: 'toy_stream',
      config: { source: world.current.source.url },
      network: 'eip155:84532',
      payTo: world.current.creator.payTo,
    };
    const made = await world.current.creator.call('POST', '/api/resources', {
      slug: `r-${randomBytes(5).toString('hex')}`,
      name: 'Long',
      category: 'ai',
      priceUsdc: '0.01',
      ...draft,
      ...fields,
    });
    expect(made.body['problems']).toEqual(expect.arrayContaining([expect.objectContaining({ path })]));
  });
});

describe('cancelling', () => {
  test.each([
    ['DELETE', ''],
    ['POST', '/cancel'],
  ])('before the money moves (%s) stops the run and charges nothing', async (method, part) => {
    const { url, id } = await world.current.publish();
    const { statusUrl, bearer, topic, buyer } = await world.current.begin(url, { at: 1 });
    const left = world.current.source.untilLeft(topic);
    const cancelled = await ask(`${statusUrl}${part}`, bearer, method);
    expect(cancelled).toMatchObject({
      status: 200,
      body: {
        state: 'cancelled',
        charged: false,
        problem: { code: 'gone' },
        receipt: { paidUsdc: '0', charged: false },
      },
    });
    await left;
    world.current.source.release();
    expect(await ask(`${statusUrl}/result`, bearer)).toMatchObject({ status: 410, body: { charged: false } });
    expect(await ask(statusUrl, bearer, 'DELETE')).toMatchObject({ status: 200, body: { state: 'cancelled' } });
    const { body } = await world.current.creator.call('GET', `/api/usage?resourceId=${id}`);
    expect(body['items']).toMatchObject([{ status: 'failed', problem: 'cancelled' }]);
    expect(await world.current.spentBy(buyer)).toBe(0n);
  });

  test('what is paid is refused: the run goes on and the answer stays the buyer’s', async () => {
    const { url } = await world.current.publish({ settlementPoint: 'upfront' });
    const { statusUrl, bearer } = await world.current.begin(url, { at: 1 });
    expect(await ask(statusUrl, bearer, 'DELETE')).toMatchObject({
      status: 409,
      body: { code: 'conflict', charged: true },
    });
    world.current.source.release();
    expect((await ask(statusUrl, { ...bearer, ...untilDone })).body).toMatchObject({ state: 'succeeded' });
    expect(await ask(statusUrl, bearer, 'DELETE')).toMatchObject({ status: 409 });
  });

  test('at any moment leaves a call cancelled and uncharged, or paid and answered', async () => {
    const { url } = await world.current.publish();
    const begun = await Promise.all(Array.from({ length: 12 }, () => world.current.begin(url)));
    const asked = await Promise.all(begun.map(({ statusUrl, bearer }) => ask(statusUrl, bearer, 'DELETE')));
    for (const [index, { statusUrl, bearer, buyer }] of begun.entries()) {
      const { body } = await ask(statusUrl, { ...bearer, ...untilDone });
      const isCancelled = asked[index]?.status === 200;
      expect(body).toMatchObject(
        isCancelled ? { state: 'cancelled', charged: false } : { state: 'succeeded', charged: true },
      );
      expect(await world.current.spentBy(buyer)).toBe(isCancelled ? 0n : 10_000n);
      const result = await ask(`${statusUrl}/result`, bearer);
      expect(result.status).toBe(isCancelled ? 410 : 200);
    }
  });
});
