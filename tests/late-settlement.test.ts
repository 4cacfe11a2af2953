import { describe, expect, test } from 'vitest';
import { drain } from './support/drain.ts';
import { ask, toProblem, useForeignWorld } from './support/foreign-world.ts';
import { payFor } from './support/paid-request.ts';
import { sendPayment } from './support/send-payment.ts';

/* A payment that somebody else settles on the chain after its call has ended: its buyer comes back, or the ledger watch finds it. */
const world = useForeignWorld();

describe('settled by somebody else after the call has ended', () => {
  test('a failed call: the same payment buys the answer', async () => {
    const story = await world.current.begin();
    world.current.source.script(story.body.topic, [{ fail: true }]);
    expect(toProblem(await ask(story))).toMatchObject({ charged: false });
    const transaction = await world.current.settleElsewhere(story);
    world.current.source.script(story.body.topic, [{ text: 'one two three' }]);
    expect(await ask(story)).toMatchObject({ status: 200, settlement: { transaction } });
    await world.current.expectBoughtOnce(story, transaction);
    const statesOf = async () => (await world.current.readCalls(story)).map(({ state }) => state);
    await expect.poll(statesOf).toEqual(['failed', 'delivered']);
  });

  test('a failed call that the ledger watch finds first is owed, booked once, and answered when its buyer comes back', async () => {
    const story = await world.current.begin();
    world.current.source.script(story.body.topic, [{ fail: true }]);
    await ask(story);
    const transaction = await world.current.settleElsewhere(story);
    await world.current.watch();
    expect(await world.current.readCalls(story)).toMatchObject([{ state: 'owed', booked: 2 }]);
    await world.current.watch();
    expect(await world.current.readCalls(story)).toMatchObject([{ state: 'owed', booked: 2 }]);
    world.current.source.script(story.body.topic, [{ text: 'one two three' }]);
    await expect.poll(async () => (await ask(story)).status, { timeout: 20_000 }).toBe(200);
    await world.current.expectBoughtOnce(story, transaction);
  });

  test('an unpaid call, whose answer was withheld, gives it away for the transfer', async () => {
    const story = await world.current.begin();
    const held = world.current.source.hold(story.body.topic, 2);
    const asking = ask(story);
    await held;
    await drain({ chain: world.current.chain.current, address: story.buyer });
    world.current.source.release();
    expect((await asking).status).toBe(402);
    await world.current.chain.current.faucet.send(story.buyer);
    const transaction = await world.current.settleElsewhere(story);
    await world.current.expectBoughtOnce(story, transaction);
    expect(world.current.source.countRuns(story.body.topic)).toBe(1);
  });

  test.each([
    ['with its answer stored', 'on_success', 1],
    ['without an answer', 'at_first_output', 2],
  ] as const)(
    'an unpaid call %s is booked by the ledger watch, and answered when its buyer comes back',
    async (_, point, runs) => {
      const story = await world.current.begin(point);
      const held = world.current.source.hold(story.body.topic, 0);
      const asking = ask(story);
      await held;
      await drain({ chain: world.current.chain.current, address: story.buyer });
      world.current.source.release();
      expect((await asking).status).toBe(402);
      expect(await world.current.readCalls(story)).toMatchObject([{ state: 'unpaid' }]);
      await world.current.chain.current.faucet.send(story.buyer);
      const transaction = await world.current.settleElsewhere(story);
      await world.current.watch();
      expect(await world.current.readCalls(story)).toMatchObject([{ state: 'owed', booked: 2 }]);
      await expect.poll(async () => (await ask(story)).status, { timeout: 20_000 }).toBe(200);
      await world.current.expectBoughtOnce(story, transaction);
      expect(world.current.source.countRuns(story.body.topic)).toBe(runs);
    },
  );

  test('a transfer that fits no call is an error that names the creator it went to', async () => {
    const story = await world.current.begin();
    expect((await ask(story)).status).toBe(200);
    const another = await payFor(await world.current.makeBuyer(), story.url);
    const transaction = await sendPayment(world.current.chain.current, another);
    const logged = await world.current.watch();
    expect(logged).toContainEqual(
      expect.objectContaining({ transaction, ownerIds: [expect.any(String)], amountAtomic: '10000' }),
    );
  });
});
