import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId, systemClock } from '#kit/index.ts';
import { openDatabase, type Database } from '#database/index.ts';
import type { Payments } from '#payments/index.ts';
import type { PublishedVersion, ResourceKind } from '#resources/index.ts';
import { makeAccount, makeOffer, pay, schemeList } from '../../tests/support/pay.ts';
import { publishedVersion } from '../../tests/support/execution-deps.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { admitToRun } from './admit-to-run.ts';
import type { PaidCall } from './call-record.ts';
import { claimPayment } from './claim.ts';
import { transition, type TransitionName } from './transitions.ts';
import { trustLimits } from './trust-limits.ts';

/* Whatever calls, emptied wallets, failures and crashes come in whatever order, the creator's loss stays bounded. */
const database = useTestDatabase();
const processes: Database[] = [];
const offer = makeOffer();
const { amountAtomic, ...terms } = offer;
const accepted = { ...terms, amount: amountAtomic.toString() };
/** A creator who risks 10 cents a day; each resource half of them. */
const LIMIT_CENTS = 10;
const WALLETS = 6;
const CLIENTS = 3;

beforeAll(() => {
  const open = () => openDatabase({ url: database.url, systemConnections: 4, userConnections: 1 });
  processes.push(open(), open());
});
afterAll(() => Promise.all(processes.map((one) => one.close())));

interface Asked {
  wallet: number;
  client: number;
  resource: number;
  cents: number;
  /** What the payer adds to the offer that it accepts. */
  extra?: Record<string, string>;
  /** Somebody else signs for the wallet. */
  isContract?: boolean;
}

interface Made extends Asked {
  callId: string;
  process: number;
  isNewcomer: boolean;
  state: 'running' | 'pending' | 'paid' | 'lost' | 'lost long ago' | 'failed';
}

interface World {
  ownerId: string;
  wallets: ReturnType<typeof makeAccount>[];
  clients: string[];
  versions: PublishedVersion[];
  /** What was begun on trust, with what became of it. */
  made: Made[];
  /** Wallets that were paid for and answered, a line each time. */
  answered: number[];
}

function depsOf(process: number, settlementPoints: ResourceKind['settlementPoints'] = ['on_success', 'upfront']) {
  return {
    database: processes[process % processes.length] as Database,
    payments: { ...schemeList, settleLimitMs: 1000 } as unknown as Payments,
    kinds: new Map([['openrouter_instant', { settlementPoints } as ResourceKind]]),
    publicUrl: 'https://farebox.test',
    clock: systemClock,
  };
}

async function openWorld(maxUsd: string | null): Promise<World> {
  const ownerId = newId();
  if (maxUsd !== null) {
    await database.current.system.query('INSERT INTO trust_limits (owner_id, max_usd_per_day) VALUES ($1, $2)', [
      ownerId,
      maxUsd,
    ]);
  }
  return {
    ownerId,
    wallets: Array.from({ length: WALLETS }, makeAccount),
    clients: Array.from({ length: CLIENTS }, newId),
    versions: [0, 1].map(() => ({ ...publishedVersion({}), ownerId, resourceId: newId(), versionId: newId() })),
    made: [],
    answered: [],
  };
}

/** Claims and asks to be admitted, as the paid call does after it has asked the chain. */
async function begin(world: World, asked: Asked, process: number, deps = depsOf(process)) {
  const version = world.versions[asked.resource] as PublishedVersion;
  const wallet = world.wallets[asked.wallet] as ReturnType<typeof makeAccount>;
  const paying = await pay(asked.isContract ? makeAccount() : wallet, offer, { from: wallet.address });
  const payment = { ...paying, accepted: { ...accepted, extra: { ...offer.extra, ...asked.extra } } };
  const call: PaidCall = {
    callId: newId(),
    requestId: newId(),
    clientAddress: 'unused',
    version,
    payment,
    offer,
    settlementPoint: version.settlementPoint,
    input: {},
    run: 1,
    startedAt: 0,
  };
  const client = world.clients[asked.client] as string;
  const claim = { ...call, ...version, processId: newId(), fingerprint: 'f', deadlineInMs: 60_000, client };
  await claimPayment(deps, { ...claim, proofs: [], trustUsd: (asked.cents / 100).toString() });
  const admitted = await admitToRun(deps, call, { balanceAtomic: 10n ** 12n, deadlineInMs: 60_000 });
  return { callId: call.callId, admitted };
}

async function beginAll(world: World, batch: readonly Asked[]): Promise<void> {
  const known = new Set(world.answered);
  const paid = new Set(world.made.filter(({ state }) => state === 'paid').map(({ wallet }) => wallet));
  const begun = await Promise.all(batch.map((asked, process) => begin(world, asked, process)));
  for (const [process, { callId, admitted }] of begun.entries()) {
    const asked = batch[process] as Asked;
    expect(['running', 'settling']).toContain(admitted);
    if (admitted === 'running') {
      const isNewcomer = !known.has(asked.wallet) && !paid.has(asked.wallet);
      world.made.push({ ...asked, callId, process: process % 2, isNewcomer, state: 'running' });
    } else {
      await move(callId, 'deny');
    }
  }
}

async function move(callId: string, ...names: TransitionName[]): Promise<void> {
  for (const name of names) {
    const changes = { answer: {}, record: {}, transaction: '0x1' };
    expect(await transition(database.current.system, { callId, name }, changes)).toBe(true);
  }
}

const endings = {
  pays: { arrows: ['settle', 'confirm', 'deliver'], state: 'paid' },
  empties: { arrows: ['settle', 'deny'], state: 'lost' },
  fails: { arrows: ['fail'], state: 'failed' },
  hangs: { arrows: ['settle', 'doubt'], state: 'pending' },
} as const satisfies Record<string, { arrows: TransitionName[]; state: Made['state'] }>;

async function end(world: World, { which, how }: { which: number; how: keyof typeof endings }): Promise<void> {
  const open = world.made.filter(({ state }) => state === 'running' || state === 'pending');
  const chosen = open[which % Math.max(1, open.length)];
  if (!chosen) {
    return;
  }
  if (chosen.state === 'pending') {
    await move(chosen.callId, how === 'pays' ? 'find' : 'expire');
    chosen.state = how === 'pays' ? 'paid' : 'lost';
  } else {
    await move(chosen.callId, ...endings[how].arrows);
    chosen.state = endings[how].state;
  }
  if (chosen.state === 'paid') {
    world.answered.push(chosen.wallet);
  }
}

/** Its runs are given up; what it had sent is decided by the chain later. */
async function crash(world: World, process: number): Promise<void> {
  for (const one of world.made.filter((made) => made.process === process && made.state === 'running')) {
    await move(one.callId, 'fail');
    one.state = 'failed';
  }
}

async function letDayPass(world: World): Promise<void> {
  await database.current.system.query(
    `UPDATE calls SET updated_at = updated_at - interval '25 hours' WHERE owner_id = $1 AND state = 'unpaid'`,
    [world.ownerId],
  );
  world.made.filter(({ state }) => state === 'lost').forEach((one) => (one.state = 'lost long ago'));
}

/** What is open on trust or was lost within the day. */
function expectBounded({ made, answered }: World): void {
  const counted = made.filter(({ state }) => state === 'running' || state === 'pending' || state === 'lost');
  const cents = (calls: readonly Made[]) => calls.reduce((sum, one) => sum + one.cents, 0);
  expect(cents(counted)).toBeLessThanOrEqual(LIMIT_CENTS);
  for (const resource of [0, 1]) {
    expect(cents(counted.filter((one) => one.resource === resource))).toBeLessThanOrEqual(LIMIT_CENTS / 2);
  }
  for (let wallet = 0; wallet < WALLETS; wallet += 1) {
    const own = counted.filter((one) => one.wallet === wallet).length;
    const bought = answered.filter((one) => one === wallet).length;
    expect(own).toBeLessThanOrEqual(Math.min(trustLimits.callsPerWallet, 1 + bought));
  }
  for (let client = 0; client < CLIENTS; client += 1) {
    const newcomers = counted.filter((one) => one.client === client && one.isNewcomer);
    expect(newcomers.length).toBeLessThanOrEqual(trustLimits.newcomersPerClient);
  }
}

const asked = fc.record({
  wallet: fc.nat(WALLETS - 1),
  client: fc.nat(CLIENTS - 1),
  resource: fc.nat(1),
  cents: fc.integer({ min: 0, max: 4 }),
});
const step = fc.oneof(
  { weight: 4, arbitrary: fc.array(asked, { minLength: 1, maxLength: 6 }).map((batch) => ({ batch })) },
  {
    weight: 5,
    arbitrary: fc.record({ which: fc.nat(20), how: fc.constantFrom('pays', 'empties', 'fails', 'hangs') }),
  },
  { weight: 1, arbitrary: fc.nat(1).map((process) => ({ process })) },
  { weight: 1, arbitrary: fc.constant({ day: true }) },
);

test('what a creator can lose to payments that do not arrive is bounded, whatever happens in which order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 16 }), async (steps) => {
      const world = await openWorld((LIMIT_CENTS / 100).toString());
      for (const one of steps) {
        if ('batch' in one) {
          await beginAll(world, one.batch);
        } else if ('how' in one) {
          await end(world, one as { which: number; how: keyof typeof endings });
        } else if ('process' in one) {
          await crash(world, one.process);
        } else {
          await letDayPass(world);
        }
        expectBounded(world);
      }
    }),
    { numRuns: 40 },
  );
});

const cheap = { wallet: 0, client: 0, resource: 0, cents: 1 };

test('a creator who chose 0 has every call paid before it runs, also one that costs nothing', async () => {
  const world = await openWorld('0');
  const [dear, free] = await Promise.all([begin(world, cheap, 0), begin(world, { ...cheap, wallet: 1, cents: 0 }, 1)]);
  expect([dear.admitted, free.admitted]).toEqual(['settling', 'settling']);
});

test('a wallet that pays for one call after the other is worked for before it pays, and then for several at once', async () => {
  const world = await openWorld(null);
  for (let bought = 0; bought < 4; bought += 1) {
    const one = await begin(world, cheap, bought);
    expect(one.admitted).toBe('running');
    await move(one.callId, 'settle', 'confirm', 'deliver');
  }
  const together = await Promise.all(Array.from({ length: 5 }, (_, process) => begin(world, cheap, process)));
  expect(together.map(({ admitted }) => admitted)).toEqual(Array.from({ length: 5 }, () => 'running'));
  expect((await begin(world, cheap, 0)).admitted).toBe('settling');
});

test('one of many calls at once of a new wallet is worked for before it pays; the rest pays first', async () => {
  const world = await openWorld(null);
  const together = await Promise.all(Array.from({ length: 12 }, (_, process) => begin(world, cheap, process)));
  expect(together.filter(({ admitted }) => admitted === 'running')).toHaveLength(1);
  expect(together.filter(({ admitted }) => admitted === 'settling')).toHaveLength(11);
});

test('wallets that have paid are not held back by new ones of the same network', async () => {
  const world = await openWorld(null);
  const known = await begin(world, cheap, 0);
  await move(known.callId, 'settle', 'confirm', 'deliver');
  for (const wallet of [1, 2, 3, 4]) {
    const newcomer = await begin(world, { ...cheap, wallet }, 0);
    expect(newcomer.admitted).toBe(wallet <= 3 ? 'running' : 'settling');
  }
  expect((await begin(world, cheap, 0)).admitted).toBe('running');
});

test('a kind that cannot be paid first refuses beyond a bound, and says which', async () => {
  const world = await openWorld('0.04');
  const deps = depsOf(0, ['on_success']);
  expect((await begin(world, { ...cheap, cents: 2 }, 0, deps)).admitted).toBe('running');
  expect((await begin(world, cheap, 0, deps)).admitted).toBe('beyond_wallet');
  expect((await begin(world, { ...cheap, wallet: 1 }, 0, deps)).admitted).toBe('beyond_resource');
  expect((await begin(world, { ...cheap, wallet: 1, resource: 1, cents: 3 }, 0, deps)).admitted).toBe('beyond_creator');
});

test('a payer who insists that the money moves last is not charged first, but asked to wait', async () => {
  const world = await openWorld(null);
  const insists = { ...cheap, extra: { paymentFlow: 'authorization' } };
  expect((await begin(world, insists, 0)).admitted).toBe('running');
  expect((await begin(world, insists, 0)).admitted).toBe('beyond_wallet');
});

test('a new contract wallet is settled for once at a time, also where it pays before the work', async () => {
  const world = await openWorld(null);
  world.versions = world.versions.map((version) => ({ ...version, settlementPoint: 'upfront' }));
  const calls = Array.from({ length: 8 }, (_, process) => begin(world, { ...cheap, isContract: true }, process));
  const admitted = (await Promise.all(calls)).map((one) => one.admitted);
  expect(admitted.toSorted()).toEqual([...Array.from({ length: 7 }, () => 'one_at_a_time'), 'settling']);
});
