import { expect, test } from 'vitest';
import { useTrust } from '../../tests/support/trust-world.ts';

const { database, depsOf, openWorld, begin, move, fail } = useTrust();
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

test('runs that fail after they have cost something are lost like unpaid ones, by what they cost or else their worst', async () => {
  const world = await openWorld('0.10', { wallets: 40, clients: 40, resources: 4 });
  let lostCents = 0;
  for (let turn = 0; turn < 40; turn += 1) {
    const asked = { wallet: turn, client: turn, resource: turn % 4, cents: 2 };
    const one = await begin(world, asked, depsOf(turn));
    if (one.admitted === 'running') {
      await fail(one.callId, turn % 2 === 0 ? '0.01' : null);
      lostCents += turn % 2 === 0 ? 1 : 2;
    } else {
      await move(one.callId, 'deny');
    }
  }
  expect(lostCents).toBeGreaterThanOrEqual(8);
  expect(lostCents).toBeLessThanOrEqual(10);
});

test('a wallet whose run failed after it had cost something pays before its next run; where it cost nothing, not', async () => {
  const world = await openWorld(null);
  const free = await begin(world, cheap);
  await fail(free.callId, '0');
  const dear = await begin(world, cheap);
  expect(dear.admitted).toBe('running');
  await fail(dear.callId, '0.004');
  expect((await begin(world, cheap)).admitted).toBe('settling');
});

test('an upstream that refuses every run before it began costs nothing, and shuts down nobody', async () => {
  const world = await openWorld('0.10');
  const known = { ...cheap, cents: 5 };
  for (let turn = 0; turn < 30; turn += 1) {
    const one = await begin(world, known, depsOf(turn));
    expect(one.admitted).toBe('running');
    await fail(one.callId, '0');
  }
});

test('eight settlements that burnt gas behind one address stop new contract wallets there, and no wallet that signs itself', async () => {
  const world = await openWorld(null);
  for (const wallet of [0, 1, 2, 3]) {
    const one = await begin(world, { ...cheap, wallet, isContract: true });
    await move(one.callId, ...(one.admitted === 'running' ? (['settle', 'deny'] as const) : (['deny'] as const)));
    await database.current.system.query('UPDATE calls SET settle_attempts = 2 WHERE id = $1', [one.callId]);
  }
  expect((await begin(world, { ...cheap, wallet: 4, isContract: true })).admitted).toBe('network_reverted');
  // Paid first: its neighbours have used up the trust of the network.
  expect((await begin(world, { ...cheap, wallet: 5 })).admitted).toBe('settling');
  const other = { ...(await openWorld(null)), clients: world.clients };
  expect((await begin(other, { ...cheap, wallet: 5 })).admitted).toBe('settling');
});

test('a wallet that signs itself is stopped by four settlements of its own that burnt gas', async () => {
  const world = await openWorld(null);
  const one = await begin(world, cheap);
  await move(one.callId, 'settle', 'deny');
  await database.current.system.query('UPDATE calls SET settle_attempts = 4 WHERE id = $1', [one.callId]);
  expect((await begin(world, cheap)).admitted).toBe('too_many_reverted');
});

test('of many payments at once that are paid before the work, no more are sent than the balance covers', async () => {
  const world = await openWorld(null);
  world.versions = world.versions.map((version) => ({ ...version, settlementPoint: 'upfront' }));
  const calls = Array.from({ length: 20 }, (_, process) =>
    begin(world, { ...cheap, balanceAtomic: 30_000n }, depsOf(process)),
  );
  const admitted = (await Promise.all(calls)).map((one) => one.admitted);
  expect(admitted.filter((one) => one === 'settling')).toHaveLength(3);
  expect(admitted.filter((one) => one === 'exceeds_balance')).toHaveLength(17);
});

test('what the balance of a wallet does not cover is not sent for instead of worked for', async () => {
  const world = await openWorld(null);
  const calls = Array.from({ length: 12 }, (_, process) =>
    begin(world, { ...cheap, balanceAtomic: 20_000n }, depsOf(process)),
  );
  const admitted = (await Promise.all(calls)).map((one) => one.admitted);
  expect(admitted.filter((one) => one === 'exceeds_balance')).toHaveLength(10);
});

test('a payment that may have been mined and is not booked yet does not count twice: what comes after it waits for that', async () => {
  const world = await openWorld('0');
  const first = await begin(world, { ...cheap, balanceAtomic: 20_000n });
  expect(first.admitted).toBe('settling');
  // Its money has left the balance.
  const second = { ...cheap, balanceAtomic: 10_000n };
  expect((await begin(world, { ...second, mayWait: true })).admitted).toBe('unclear');
  await database.current.system.query("UPDATE calls SET state = 'refused' WHERE state = 'claimed'");
  await database.current.system.query("UPDATE calls SET state = 'refused' WHERE id = $1", [first.callId]);
  expect((await begin(world, { ...second, mayWait: true })).admitted).toBe('settling');
  // What not even the rest of the balance covers waits for nothing.
  expect((await begin(world, { ...second, balanceAtomic: 0n, mayWait: true })).admitted).toBe('exceeds_balance');
});

test('a flood of one wallet takes its turns on one connection, and leaves the others to everybody else', async () => {
  const world = await openWorld(null);
  const deps = depsOf(0);
  const { database: flooded } = deps;
  let atOnce = 0;
  let most = 0;
  const counted = {
    ...flooded,
    transaction: async <T>(run: Parameters<typeof flooded.transaction<T>>[0]): Promise<T> => {
      atOnce += 1;
      most = Math.max(most, atOnce);
      return flooded.transaction(run).finally(() => (atOnce -= 1));
    },
  };
  const floodDeps = { ...deps, database: counted };
  await Promise.all(Array.from({ length: 30 }, () => begin(world, cheap, floodDeps)));
  expect(most).toBe(1);
});
