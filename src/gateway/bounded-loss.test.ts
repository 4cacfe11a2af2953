import fc from 'fast-check';
import { expect, test } from 'vitest';
import { useTrust, type Asked, type TrustWorld } from '../../tests/support/trust-world.ts';
import type { TransitionName } from './transitions.ts';
import { trustLimits } from './trust-limits.ts';

/* Whatever calls, emptied wallets, failures and crashes come in whatever order, the creator's loss stays bounded. */
const { database, depsOf, openWorld, begin, move, fail } = useTrust();
/** A creator who risks 10 cents a day; each resource half of them. */
const LIMIT_CENTS = 10;
const WALLETS = 12;
const CLIENTS = 5;
const RESOURCES = [0, 1, 2];

interface Made extends Asked {
  callId: string;
  process: number;
  isNewcomer: boolean;
  state: 'running' | 'pending' | 'paid' | 'lost' | 'lost long ago' | 'failed';
  /** What a run that failed did cost where somebody told; else it counts at its worst. */
  spentCents?: number;
  /** Its run failed: counted for its wallet, resource and creator, and not for its neighbours. */
  hasFailed?: boolean;
}

interface World extends TrustWorld {
  /** What was begun on trust, with what became of it. */
  made: Made[];
  /** Wallets that were paid for and answered, a line each time. */
  answered: number[];
}

async function beginAll(world: World, batch: readonly Asked[]): Promise<void> {
  const known = new Set(world.answered);
  const paid = new Set(world.made.filter(({ state }) => state === 'paid').map(({ wallet }) => wallet));
  const begun = await Promise.all(batch.map((asked, process) => begin(world, asked, depsOf(process))));
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

const endings = {
  pays: { arrows: ['settle', 'confirm', 'deliver'], state: 'paid' },
  empties: { arrows: ['settle', 'deny'], state: 'lost' },
  'fails at its worst': { arrows: ['fail'], state: 'lost' },
  'fails for a cent': { arrows: ['fail'], state: 'lost' },
  'fails for nothing': { arrows: ['fail'], state: 'failed' },
  hangs: { arrows: ['settle', 'doubt'], state: 'pending' },
} as const satisfies Record<string, { arrows: TransitionName[]; state: Made['state'] }>;

const spent: Partial<Record<keyof typeof endings, number>> = { 'fails for a cent': 1, 'fails for nothing': 0 };

async function failFor(one: Made, spentCents: number): Promise<void> {
  await fail(one.callId, (spentCents / 100).toString());
  one.spentCents = spentCents;
}

/** A run that failed and cost nothing counts nowhere. */
function noteFailure(one: Made, hasFailed: boolean): void {
  one.hasFailed = hasFailed;
  if (hasFailed && (one.spentCents ?? one.cents) === 0) {
    one.state = 'failed';
  }
}

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
    const spentCents = spent[how];
    const arrows = endings[how].arrows;
    await (spentCents === undefined
      ? move(chosen.callId, ...arrows)
      : failFor(chosen, Math.min(spentCents, chosen.cents)));
    chosen.state = endings[how].state;
    noteFailure(chosen, how.startsWith('fails'));
  }
  if (chosen.state === 'paid') {
    world.answered.push(chosen.wallet);
  }
}

/** Its runs are given up; what it had sent is decided by the chain later. */
async function crash(world: World, process: number): Promise<void> {
  for (const one of world.made.filter((made) => made.process === process && made.state === 'running')) {
    await move(one.callId, 'fail');
    one.state = 'lost';
    noteFailure(one, true);
  }
}

async function letDayPass(world: World): Promise<void> {
  await database.current.system.query(
    `UPDATE calls SET updated_at = updated_at - interval '25 hours' WHERE owner_id = $1 AND state IN ('unpaid', 'failed')`,
    [world.ownerId],
  );
  world.made.filter(({ state }) => state === 'lost').forEach((one) => (one.state = 'lost long ago'));
}

/** Which bounds are exceeded by what is open on trust or was lost within the day. */
function findExcesses({ made, answered }: World): string[] {
  const counted = made.filter(({ state }) => state === 'running' || state === 'pending' || state === 'lost');
  const cents = (calls: readonly Made[]) => calls.reduce((sum, one) => sum + (one.spentCents ?? one.cents), 0);
  const isOver = {
    creator: () => cents(counted) > LIMIT_CENTS,
    resource: (resource: number) => cents(counted.filter((one) => one.resource === resource)) > LIMIT_CENTS / 2,
    wallet: (wallet: number) => {
      const allowed = Math.min(trustLimits.callsPerWallet, 1 + answered.filter((one) => one === wallet).length);
      return counted.filter((one) => one.wallet === wallet).length > allowed;
    },
    client: (client: number) =>
      counted.filter((one) => one.client === client && one.isNewcomer && !one.hasFailed).length >
      trustLimits.newcomersPerClient,
  };
  return [
    ...(isOver.creator() ? ['creator'] : []),
    ...RESOURCES.filter(isOver.resource).map((number) => `resource ${number}`),
    ...[...Array(WALLETS).keys()].filter(isOver.wallet).map((number) => `wallet ${number}`),
    ...[...Array(CLIENTS).keys()].filter(isOver.client).map((number) => `client ${number}`),
  ];
}

const failings = ['fails at its worst', 'fails for a cent', 'fails for nothing'] as const;
const asked = fc.record({
  wallet: fc.nat(WALLETS - 1),
  client: fc.nat(CLIENTS - 1),
  resource: fc.constantFrom(...RESOURCES),
  cents: fc.integer({ min: 0, max: 4 }),
});
const step = fc.oneof(
  { weight: 4, arbitrary: fc.array(asked, { minLength: 1, maxLength: 6 }).map((batch) => ({ batch })) },
  {
    weight: 5,
    arbitrary: fc.record({
      which: fc.nat(20),
      how: fc.constantFrom('pays', 'empties', 'empties', ...failings, 'hangs'),
    }),
  },
  { weight: 1, arbitrary: fc.nat(1).map((process) => ({ process })) },
  { weight: 1, arbitrary: fc.constant({ day: true }) },
);

test('what a creator can lose to payments that do not arrive and to runs that fail is bounded, whatever happens in which order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 16 }), async (steps) => {
      const size = { wallets: WALLETS, clients: CLIENTS, resources: RESOURCES.length };
      const world: World = { ...(await openWorld((LIMIT_CENTS / 100).toString(), size)), made: [], answered: [] };
      for (const one of steps) {
        if ('batch' in one) {
          await beginAll(world, one.batch);
        } else if ('how' in one) {
          await end(world, one);
        } else if ('process' in one) {
          await crash(world, one.process);
        } else {
          await letDayPass(world);
        }
        expect(findExcesses(world)).toEqual([]);
      }
    }),
    { numRuns: 25, endOnFailure: true },
  );
});
