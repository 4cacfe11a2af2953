import { expect, test } from 'vitest';
import { useTrust } from '../../tests/support/trust-world.ts';

const { depsOf, openWorld, begin, move } = useTrust();
const cheap = { wallet: 0, client: 0, resource: 0, cents: 1 };

test('a creator who chose 0 has every call paid before it runs, also one that costs nothing', async () => {
  const world = await openWorld('0');
  const [dear, free] = await Promise.all([
    begin(world, cheap),
    begin(world, { ...cheap, wallet: 1, cents: 0 }, depsOf(1)),
  ]);
  expect([dear.admitted, free.admitted]).toEqual(['settling', 'settling']);
});

test('a wallet that pays for one call after the other is worked for before it pays, and then for several at once', async () => {
  const world = await openWorld(null);
  for (let bought = 0; bought < 4; bought += 1) {
    const one = await begin(world, cheap, depsOf(bought));
    expect(one.admitted).toBe('running');
    await move(one.callId, 'settle', 'confirm', 'deliver');
  }
  const together = await Promise.all(Array.from({ length: 5 }, (_, process) => begin(world, cheap, depsOf(process))));
  expect(together.map(({ admitted }) => admitted)).toEqual(Array.from({ length: 5 }, () => 'running'));
  expect((await begin(world, cheap)).admitted).toBe('settling');
});

test('one of many calls at once of a new wallet is worked for before it pays; the rest pays first', async () => {
  const world = await openWorld(null);
  const together = await Promise.all(Array.from({ length: 12 }, (_, process) => begin(world, cheap, depsOf(process))));
  expect(together.filter(({ admitted }) => admitted === 'running')).toHaveLength(1);
  expect(together.filter(({ admitted }) => admitted === 'settling')).toHaveLength(11);
});

test('wallets that have paid are not held back by new ones of the same network', async () => {
  const world = await openWorld(null);
  const known = await begin(world, cheap);
  await move(known.callId, 'settle', 'confirm', 'deliver');
  for (const wallet of [1, 2, 3, 4]) {
    const newcomer = await begin(world, { ...cheap, wallet });
    expect(newcomer.admitted).toBe(wallet <= 3 ? 'running' : 'settling');
  }
  expect((await begin(world, cheap)).admitted).toBe('running');
});

test('a kind that cannot be paid first refuses beyond a bound, and says which', async () => {
  const world = await openWorld('0.04');
  const deps = depsOf(0, ['on_success']);
  expect((await begin(world, { ...cheap, cents: 2 }, deps)).admitted).toBe('running');
  expect((await begin(world, cheap, deps)).admitted).toBe('beyond_wallet');
  expect((await begin(world, { ...cheap, wallet: 1 }, deps)).admitted).toBe('beyond_resource');
  expect((await begin(world, { ...cheap, wallet: 1, resource: 1, cents: 3 }, deps)).admitted).toBe('beyond_creator');
});

test('a payer who insists that the money moves last is not charged first, but asked to wait', async () => {
  const world = await openWorld(null);
  const insists = { ...cheap, extra: { paymentFlow: 'authorization' } };
  expect((await begin(world, insists)).admitted).toBe('running');
  expect((await begin(world, insists)).admitted).toBe('beyond_wallet');
});

test('a new contract wallet is settled for once at a time, also where it pays before the work', async () => {
  const world = await openWorld(null);
  world.versions = world.versions.map((version) => ({ ...version, settlementPoint: 'upfront' }));
  const calls = Array.from({ length: 8 }, (_, process) =>
    begin(world, { ...cheap, isContract: true }, depsOf(process)),
  );
  const admitted = (await Promise.all(calls)).map((one) => one.admitted);
  expect(admitted.toSorted()).toEqual([...Array.from({ length: 7 }, () => 'one_at_a_time'), 'settling']);
});

test('payments of one wallet that do not fit together wait in their process and hold one connection of its pool', async () => {
  const world = await openWorld(null);
  const open = { now: 0, most: 0 };
  const deps = depsOf(0);
  const transaction: typeof deps.database.transaction = async (work) => {
    open.most = Math.max(open.most, (open.now += 1));
    return deps.database.transaction(work).finally(() => (open.now -= 1));
  };
  const counting = { ...deps, database: { ...deps.database, transaction } };
  await Promise.all(Array.from({ length: 12 }, () => begin(world, cheap, counting)));
  expect(open.most).toBe(1);
});

test('of payments that are to be paid first, as many as the balance of their wallet covers are sent to the chain', async () => {
  const world = await openWorld(null);
  world.versions = world.versions.map((version) => ({ ...version, settlementPoint: 'upfront' }));
  const poor = { ...cheap, balanceAtomic: 30_000n };
  const together = await Promise.all(Array.from({ length: 12 }, (_, process) => begin(world, poor, depsOf(process))));
  expect(together.filter(({ admitted }) => admitted === 'settling')).toHaveLength(3);
  expect(together.filter(({ admitted }) => admitted === 'exceeds_balance')).toHaveLength(9);
});
