import { afterEach, describe, expect, test, vi } from 'vitest';
import { ask, toProblem, useForeignWorld } from './support/foreign-world.ts';

/* A payment that somebody else settles on the chain, before its call or while it runs, through the whole app. */
const looking = vi.hoisted(() => ({ isOff: false }));

vi.mock(import('../src/payments/find-use.ts'), async (load) => {
  const real = await load();
  return {
    ...real,
    findUse: (...given) => (looking.isOff ? Promise.resolve({ status: 'unused' }) : real.findUse(...given)),
  };
});
afterEach(() => {
  looking.isOff = false;
});

const world = useForeignWorld();
const points = ['on_success', 'at_first_output', 'upfront'] as const;

describe('settled by somebody else before the call', () => {
  test.each(points)('%s: the transfer buys the answer, with the receipt of that transaction', async (point) => {
    const story = await world.current.begin(point);
    const transaction = await world.current.settleElsewhere(story);
    const answer = await ask(story);
    expect(answer).toMatchObject({ status: 200, settlement: { success: true, transaction } });
    expect(answer.text).toContain(transaction);
    await world.current.expectBoughtOnce(story, transaction);
    expect(world.current.source.countRuns(story.body.topic)).toBe(1);
    const usage = await world.current.creator.call('GET', `/api/usage?resourceId=${story.id}`);
    expect(usage.body['items']).toMatchObject([{ status: 'success', earnedUsdc: '0.01' }]);
  });

  test('many requests at once with the payment run it once', async () => {
    const story = await world.current.begin();
    const transaction = await world.current.settleElsewhere(story);
    const answers = await Promise.all(Array.from({ length: 6 }, () => ask(story)));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    await world.current.expectBoughtOnce(story, transaction);
    expect(world.current.source.countRuns(story.body.topic)).toBe(1);
  });

  test('a run that fails then leaves the call owed, and the same payment gets the answer', async () => {
    const story = await world.current.begin();
    const transaction = await world.current.settleElsewhere(story);
    world.current.source.script(story.body.topic, [{ fail: true }]);
    const failed = await ask(story);
    expect(failed).toMatchObject({ status: 503, settlement: { success: true, transaction } });
    expect(toProblem(failed)).toMatchObject({ code: 'answer_owed', charged: true });
    world.current.source.script(story.body.topic, [{ text: 'one two three' }]);
    await expect.poll(async () => (await ask(story)).status, { timeout: 20_000 }).toBe(200);
    await world.current.expectBoughtOnce(story, transaction);
  });

  test('without the look-up it is refused for ever, while the creator keeps the money', async () => {
    const story = await world.current.begin();
    await world.current.settleElsewhere(story);
    looking.isOff = true;
    const refused = await ask(story);
    expect(refused).toMatchObject({ status: 402, settlement: { errorReason: 'invalid_exact_evm_nonce_already_used' } });
    expect(await world.current.chain.current.balanceAtomic(story.payTo)).toBe(10_000n);
    expect(await world.current.countBooked(story)).toBe(0);
  });
});

describe('spent at another seller with the same payee and price', () => {
  test('a payment that was signed for a longer time than this offer asks does not buy here, and reads which transaction used it', async () => {
    const story = await world.current.begin('on_success', {
      validBefore: String(Math.floor(Date.now() / 1000) + 36_000),
    });
    const transaction = await world.current.settleElsewhere(story);
    const refused = await ask(story);
    expect(refused).toMatchObject({
      status: 402,
      settlement: { success: false, errorReason: 'invalid_exact_evm_nonce_already_used' },
    });
    expect(refused.text).toContain(transaction);
    expect(refused.text).toContain('cannot buy here');
    expect(world.current.source.countRuns(story.body.topic)).toBe(0);
    await world.current.watch();
    expect((await world.current.readCalls(story)).map(({ state }) => state)).toEqual(['refused']);
    expect(await world.current.countBooked(story)).toBe(0);
  });
});

describe('settled by somebody else while a run fails', () => {
  test.each(['on_success', 'at_first_output'])(
    '%s: the failure says that it was charged and owes the answer, which comes without another charge',
    async (point) => {
      const story = await world.current.begin(point);
      const held = world.current.source.hold(story.body.topic, 0);
      world.current.source.script(story.body.topic, [{ fail: true }]);
      const asking = ask(story);
      await held;
      const transaction = await world.current.settleElsewhere(story);
      world.current.source.release();
      const failed = await asking;
      expect(failed).toMatchObject({ status: 503, settlement: { success: true, transaction } });
      expect(toProblem(failed)).toMatchObject({ code: 'answer_owed', charged: true });
      world.current.source.script(story.body.topic, [{ text: 'one ' }, { text: 'two ' }, { text: 'three' }]);
      await expect.poll(async () => (await ask(story)).status, { timeout: 20_000 }).toBe(200);
      await world.current.expectBoughtOnce(story, transaction);
      const usage = await world.current.creator.call('GET', `/api/usage?resourceId=${story.id}`);
      expect(usage.body['items']).toMatchObject([{ status: 'success', earnedUsdc: '0.01' }]);
    },
  );

  test('without the look-up the buyer reads that nothing was charged, while the transfer stands on the chain', async () => {
    const story = await world.current.begin();
    const held = world.current.source.hold(story.body.topic, 0);
    world.current.source.script(story.body.topic, [{ fail: true }]);
    looking.isOff = true;
    const asking = ask(story);
    await held;
    await world.current.settleElsewhere(story);
    world.current.source.release();
    expect(toProblem(await asking)).toMatchObject({ charged: false });
    expect(await world.current.chain.current.balanceAtomic(story.payTo)).toBe(10_000n);
  });

  test.each(['drop before', 'hang before'] as const)(
    'a chain that cannot be asked (%s): nothing is said about the charge, soon, and the same payment buys the answer later',
    async (fault) => {
      const story = await world.current.begin();
      const held = world.current.source.hold(story.body.topic, 0);
      world.current.source.script(story.body.topic, [{ fail: true }]);
      const asking = ask(story);
      await held;
      world.current.rpc.plan(() => fault);
      world.current.source.release();
      const failed = await asking;
      expect(failed.status).toBe(503);
      expect(toProblem(failed)).not.toHaveProperty('charged');
      expect(failed.text).not.toContain('Nothing was charged');
      world.current.rpc.plan(() => null);
      const transaction = await world.current.settleElsewhere(story);
      world.current.source.script(story.body.topic, [{ text: 'one two three' }]);
      expect((await ask(story)).status).toBe(200);
      await world.current.expectBoughtOnce(story, transaction);
    },
  );

  test('a run that fails while nobody has settled it says that nothing was charged, after one question to the chain', async () => {
    const story = await world.current.begin();
    const held = world.current.source.hold(story.body.topic, 0);
    world.current.source.script(story.body.topic, [{ fail: true }]);
    const asking = ask(story);
    await held;
    const before = world.current.rpc.seen.length;
    world.current.source.release();
    expect(toProblem(await asking)).toMatchObject({ charged: false });
    expect(world.current.rpc.seen.slice(before)).toEqual(['eth_call']);
  });
});
