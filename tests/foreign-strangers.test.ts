import { describe, expect, test } from 'vitest';
import { drain } from './support/drain.ts';
import { ask, toProblem, useForeignWorld, type Story } from './support/foreign-world.ts';
import { encodeHeader } from './support/pay.ts';

/* A payment that others have settled is public: what strangers get for it, and what its buyer reads. */
const world = useForeignWorld();

/** What anybody can rebuild from the chain: the payment without what only its buyer has. */
function bare(payment: string): string {
  const { extensions: _, ...envelope } = JSON.parse(Buffer.from(payment, 'base64').toString()) as {
    extensions: unknown;
  };
  return encodeHeader(envelope);
}

const asStranger = (story: Story): Story => ({ ...story, payment: bare(story.payment) });
const isSold = (story: Story) => world.current.source.script(story.body.topic, [{ text: 'one two three' }]);

async function failFirst(story: Story): Promise<void> {
  world.current.source.script(story.body.topic, [{ fail: true }]);
  expect(toProblem(await ask(story))).toMatchObject({ charged: false });
  isSold(story);
}

function secondsFromNow(seconds: number): { validBefore: string } {
  return { validBefore: String(Math.floor(Date.now() / 1000) + seconds) };
}

const unproven = { code: 'buyer_unproven', charged: true };

describe('a payment of a call that failed, settled by others', () => {
  test.each([
    ['for another body', { topic: 'of a stranger' }],
    ['for the same body', null],
  ])('buys nothing for a stranger %s, and the answer for its buyer', async (_, body) => {
    const story = await world.current.begin();
    await failFirst(story);
    const transaction = await world.current.settleElsewhere(story);
    const thief = await ask({ ...asStranger(story), ...(body ? { body } : {}) });
    expect(thief.status).toBe(403);
    expect(toProblem(thief)).toMatchObject({ ...unproven, transaction, extensions: { 'sign-in-with-x': {} } });
    expect(world.current.source.countRuns('of a stranger')).toBe(0);
    expect(await ask(story)).toMatchObject({ status: 200, settlement: { transaction } });
    await world.current.expectBoughtOnce(story, transaction);
  });

  test('buys the answer for its buyer, who sends no secret, for the same request, and nothing for another one', async () => {
    const story = asStranger(await world.current.begin());
    await failFirst(story);
    await world.current.settleElsewhere(story);
    expect(toProblem(await ask({ ...story, body: { topic: 'another' } }))).toMatchObject(unproven);
    expect((await ask(story)).status).toBe(200);
  });

  test('is found although it expires too soon for another run', async () => {
    const story = await world.current.begin('on_success', secondsFromNow(68));
    await failFirst(story);
    const transaction = await world.current.settleElsewhere(story);
    const again = async () => (await ask(story)).settlement;
    const told: unknown[] = [];
    await expect
      .poll(async () => told.push(await again()) && world.current.readCalls(story), {
        timeout: 20_000,
        interval: 1_000,
      })
      .toMatchObject(expect.arrayContaining([expect.objectContaining({ booked: 2 })]));
    expect(told).not.toContainEqual(expect.objectContaining({ success: false }));
    await world.current.expectBoughtOnce(story, transaction);
  });

  test.each(['pause', 'archive'])('is found although its resource takes no calls any more (%s)', async (deed) => {
    const story = await world.current.begin();
    await failFirst(story);
    const transaction = await world.current.settleElsewhere(story);
    await world.current.creator.call('POST', `/api/resources/${story.id}/${deed}`, {});
    await expect.poll(async () => (await ask(story)).status, { timeout: 20_000 }).toBe(200);
    await world.current.expectBoughtOnce(story, transaction);
  });
});

test('a payment that holds no call, at a resource that is paused, is said to be uncharged only where the chain was asked', async () => {
  const pause = ({ id }: Story) => world.current.creator.call('POST', `/api/resources/${id}/pause`, {});
  const [unpaid, paid] = [await world.current.begin(), await world.current.begin()];
  const transaction = await world.current.settleElsewhere(paid);
  await pause(unpaid);
  await pause(paid);
  const before = world.current.rpc.seen.length;
  expect(toProblem(await ask(unpaid))).toMatchObject({ code: 'unavailable', charged: false });
  expect(world.current.rpc.seen.slice(before)).toEqual(['eth_call']);
  const told = await ask(paid);
  expect(told).toMatchObject({ status: 503, settlement: null });
  expect(toProblem(told)).not.toHaveProperty('charged');
  expect(told.text).toContain(transaction);
  // 20 a minute for one network; then nothing is said of the charge.
  const asked = world.current.rpc.seen.length;
  let last = {};
  for (let turn = 0; turn < 40; turn += 1) {
    last = toProblem(await ask(unpaid));
  }
  expect(world.current.rpc.seen.length - asked).toBeLessThanOrEqual(20);
  expect(last).not.toHaveProperty('charged');
});

test('settled by others while its call runs: a stranger who sends it without its secret gets nothing of the answer', async () => {
  const story = await world.current.begin();
  const held = world.current.source.hold(story.body.topic, 0);
  const asking = ask(story);
  await held;
  await world.current.settleElsewhere(story);
  const thief = ask(asStranger(story));
  const again = ask(story);
  await expect.poll(() => world.current.rpc.seen.length).toBeGreaterThan(0);
  world.current.source.release();
  expect((await asking).status).toBe(200);
  expect((await again).status).toBe(200);
  expect(toProblem(await thief)).toMatchObject(unproven);
});

test('refused here while its wallet was empty, it buys nothing after it was spent at another seller with the same payee', async () => {
  const story = await world.current.begin('on_success', secondsFromNow(36_000));
  await drain({ chain: world.current.chain.current, address: story.buyer });
  expect((await ask(story)).status).toBe(402);
  await world.current.chain.current.faucet.send(story.buyer);
  const transaction = await world.current.settleElsewhere(story);
  const refused = await ask(story);
  expect(refused.status).toBe(402);
  expect(refused.text).toContain(transaction);
  expect(world.current.source.countRuns(story.body.topic)).toBe(0);
});

test('100 replays of an unpaid payment ask the chain once a second', async () => {
  const story = await world.current.begin();
  const held = world.current.source.hold(story.body.topic, 2);
  const asking = ask(story);
  await held;
  await drain({ chain: world.current.chain.current, address: story.buyer });
  world.current.source.release();
  expect((await asking).status).toBe(402);
  const [before, startedAt] = [world.current.rpc.seen.length, Date.now()];
  const told: object[] = [];
  for (let turn = 0; turn < 100; turn += 1) {
    told.push(toProblem(await ask(story)));
  }
  const seconds = Math.ceil((Date.now() - startedAt) / 1000);
  expect(world.current.rpc.seen.length - before).toBeLessThanOrEqual(seconds + 1);
  expect(told.filter((problem) => 'charged' in problem).length).toBeLessThanOrEqual(seconds + 1);
});

test('100 sign-ins with garbage signatures of one network ask the chain 40 times at the most', async () => {
  const story = asStranger(await world.current.begin());
  expect((await ask(story)).status).toBe(200);
  const { extensions } = toProblem(await ask(story)) as { extensions: { 'sign-in-with-x': { info: object } } };
  const signed = { address: story.buyer, chainId: 'eip155:84532', type: 'eip191', signature: `0x${'11'.repeat(65)}` };
  const signIn = encodeHeader({ ...extensions['sign-in-with-x'].info, ...signed });
  const before = world.current.rpc.seen.length;
  for (let turn = 0; turn < 100; turn += 1) {
    expect((await ask(story, { 'SIGN-IN-WITH-X': signIn })).status).toBe(403);
  }
  // 20 of the network, and 20 of a wallet that has paid here.
  expect(world.current.rpc.seen.length - before).toBeLessThanOrEqual(40);
});
