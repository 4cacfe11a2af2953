import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { newId, sha256Hex } from '#kit/index.ts';
import { newSecret, watchLedger } from '#payments/index.ts';
import { jsonAnswer, noEvidence, type Outcome, type PublishedVersion, type ResourceKind } from '#resources/index.ts';
import { openSpendHold } from '#usage/index.ts';
import type { SealedOrder } from '../../tests/support/cash-bank.ts';
import { CASH_NETWORK } from '../../tests/support/cash-scheme.ts';
import { openCashWorld } from '../../tests/support/cash-world.ts';
import { publishedVersion } from '../../tests/support/execution-deps.ts';
import { encodeHeader, toRequirement } from '../../tests/support/pay.ts';
import { quietLog } from '../../tests/support/test-chain.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { withoutFiles } from '../../tests/support/without-files.ts';
import { adoptTransfers } from './adopt-transfers.ts';
import { carryOnOwed } from './carry-on.ts';
import { callInForm } from './call-in-form.ts';
import type { CallOutcome, CallRequest } from './call-request.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { openCallChanges } from './long-runs/call-changes.ts';
import { keepStreams } from './keep-streams.ts';
import { offerVersion } from './offer-version.ts';
import { reconcileCalls, resolveAllPending } from './reconcile-calls.ts';
import { rememberReadiness } from './remember-readiness.ts';
import { rememberNews } from './tell-owner.ts';

/* One payment, two processes, and everything that may happen to it in any order. */
const database = useTestDatabase();

const during = ['nothing', 'sent by others', 'drained', 'the chain falls silent'] as const;
const events = [
  'sent by others',
  'watch',
  'work',
  'silent',
  'back',
  'drained',
  'filled',
  'paused',
  'published',
  'time passes',
] as const;
const step = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...events) },
  { weight: 1, arbitrary: fc.constantFrom('a stranger with its body', 'a stranger with another body') },
  {
    weight: 4,
    arbitrary: fc.record({
      by: fc.constantFrom([0], [1], [0, 1]),
      isGood: fc.boolean(),
      /** Of a run that fails; null: nobody tells. */
      costUsd: fc.constantFrom('0', null),
      during: fc.constantFrom(...during),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;
type Run = Extract<Step, object>;
const good: Run = { by: [0], isGood: true, costUsd: null, during: 'nothing' };
const failing: Run = { by: [0], isGood: false, costUsd: '0', during: 'nothing' };
const settlementPoint = fc.constantFrom('on_success' as const, 'at_first_output' as const, 'upfront' as const);

async function openStory(point: PublishedVersion['settlementPoint']) {
  const { bank, scheme } = openCashWorld();
  const { payments } = scheme;
  const payTo = scheme.makePayee();
  const current = publishedVersion({
    settlementPoint: point,
    offers: [{ scheme: 'cash', network: CASH_NETWORK, amountAtomic: 10_000n, payTo }],
  });
  // What is left of a payment's time is too short for another run afterwards, and it can still be settled.
  const time = { offsetMs: 0 };
  const clock = { now: () => Date.now() + time.offsetMs };
  const story = { run: (): Outcome => ({ ok: true, answer: jsonAnswer({}), evidence: noEvidence }), runs: 0 };
  const kind = {
    name: current.kind,
    evidenceSchema: { safeParse: () => ({ success: true, data: {} }) },
    answerSchema: z.object({}),
    answerExample: {},
    isReady: async () => ({ ready: true }),
    run: async () => story.run(),
  } as unknown as ResourceKind;
  const kinds = new Map([[kind.name, kind]]);
  const offered = offerVersion({ payments, kinds, publicUrl: 'https://farebox.test' }, current).offers[0];
  if (!offered) {
    throw new Error('unreachable');
  }
  const sealed = (await (await scheme.makePayer('rich')).sign(offered)) as SealedOrder;
  const payer = sealed.order.from;
  const rich = bank.openAccount(100_000_000n);
  const now = () => Math.floor(Date.now() / 1000);
  const move = (from: string, to: string, amount: bigint) =>
    bank.carryOut(bank.seal({ from, to, amount: String(amount), number: newId(), endsAt: now() + 60 }), now());
  const processes = [0, 1].map((): GatewayDeps => ({
    database: database.current,
    published: { find: () => current, findById: () => current, findVersion: () => current } as never,
    kinds,
    payments: { ...payments, clock },
    publicUrl: 'https://farebox.test',
    clock,
    log: quietLog,
    limiter: { take: async () => ({ isAllowed: true, retryAfterSeconds: 0 }) },
    ownerLimiter: { take: async () => ({ isAllowed: true, retryAfterSeconds: 0 }) },
    recordUnpaid: async () => {},
    lookUps: { take: async () => ({ isAllowed: true, retryAfterSeconds: 0 }) },
    pause: async () => {},
    inputs: withoutFiles,
    spend: openSpendHold({ database: database.current, clock }),
    readiness: rememberReadiness({
      kinds,
      clock,
      log: quietLog,
      askCaps: async () => ({ ready: true }),
      pause: async () => {},
    }),
    news: rememberNews({ clock, log: quietLog }),
    processId: newId(),
    inFlight: new Map(),
    reruns: new Set(),
    longRuns: new Map(),
    callChanges: openCallChanges(),
    callbacks: { key: Buffer.alloc(32), check: () => {}, post: async () => null },
    streams: keepStreams({ database: database.current, log: quietLog }),
  }));
  // As official clients send it: with the secret of the 402 that it answers.
  const extensions = { 'buyer-secret': { info: { secret: newSecret() } } };
  const header = encodeHeader({ x402Version: 2, accepted: toRequirement(offered), payload: sealed, extensions });
  const request: CallRequest = {
    requestId: newId(),
    method: 'POST',
    target: { resourceId: current.resourceId },
    url: '/@demo/haiku',
    bodyDigest: sha256Hex('{}'),
    input: { ok: true, value: {}, isText: false },
    payment: { paymentSignature: header },
    isOwnerTest: false,
    idempotencyKey: '',
    authenticate: async () => ({ kind: 'anonymous' }) as never,
    // One network each: what is refused in one story limits nobody in another.
    clientAddress: newId(),
  };
  // What anybody can rebuild from the chain.
  const bare = encodeHeader({ x402Version: 2, accepted: toRequirement(offered), payload: sealed });
  const strange = { ...request, payment: { paymentSignature: bare } };
  const ask = (by: number, asked: CallRequest) => callInForm(processes[by] as GatewayDeps, asked);
  return {
    bank,
    payer,
    processes,
    story,
    ask: (by: number) => ask(by, request),
    askAsStranger: {
      'a stranger with its body': () => ask(0, strange),
      'a stranger with another body': () => ask(0, { ...strange, bodyDigest: sha256Hex('another') }),
    },
    /** What the payment has moved, by its transaction. */
    listPaid: () =>
      bank.listBooked().flatMap(({ number, transaction }) => (number === sealed.order.number ? [transaction] : [])),
    happen: {
      'sent by others': () => (bank.isClosed ? undefined : void bank.carryOut(sealed, now())),
      drained: () => (bank.isClosed ? undefined : void move(payer, rich, bank.balanceOf(payer))),
      filled: () => (bank.isClosed ? undefined : void move(rich, payer, 50_000n)),
      'the chain falls silent': () => void (bank.isClosed = true),
      silent: () => void (bank.isClosed = true),
      back: () => void (bank.isClosed = false),
      paused: () => void (current.state = 'paused'),
      published: () => void (current.state = 'published'),
      // A buyer who comes so late for the first time is told which transaction has used the payment.
      'time passes': () => void (time.offsetMs = story.runs > 0 ? 150_000 : 0),
      nothing: () => undefined,
    },
    watch: () => {
      const deps = processes[0] as GatewayDeps;
      return watchLedger({ database: database.current, payments }, 600, {
        adoptTransfers: (network, transfers) => adoptTransfers(deps, network, transfers),
        // The bookings of earlier stories are on other banks.
        recheckSettled: async () => 'unknown',
      });
    },
    /** What runs every few seconds, with the pauses between over. */
    work: async () => {
      const deps = processes[1] as GatewayDeps;
      // In whatever state a call is, the chain is asked about it once a second.
      await database.current.system.query(
        `UPDATE calls SET looked_up_at = looked_up_at - interval '1 minute' WHERE payer = $1`,
        [payer],
      );
      await database.current.system.query(
        `UPDATE calls SET deadline = least(deadline, now()),
                updated_at = updated_at - interval '1 minute' WHERE payer = $1 AND state IN ('pending', 'owed', 'settled')`,
        [payer],
      );
      await resolveAllPending(deps);
      await reconcileCalls(deps);
      await carryOnOwed(deps);
      await Promise.allSettled(processes.flatMap(({ inFlight }) => [...inFlight.values()]));
    },
  };
}

async function readLedger(payer: string): Promise<string[]> {
  const { rows } = await database.current.system.query<{ transaction: string }>(
    'SELECT transaction FROM ledger_entries WHERE account = $1',
    [`buyer:${payer}`],
  );
  return rows.map(({ transaction }) => transaction);
}

test('in any order of calls, failures, strangers and watches, one payment buys one answer, is booked once, and nobody reads a lie', async () => {
  await fc.assert(
    fc.asyncProperty(settlementPoint, fc.array(step, { minLength: 1, maxLength: 9 }), async (point, steps) => {
      const world = await openStory(point);
      const { bank, happen, story } = world;
      const given = new Set<string>();
      /** Transactions that stood on the chain when a buyer read that nothing was charged. */
      const lies: string[] = [];
      /** Seconds after which a buyer who read nothing of a charge is to come again. */
      const waits: number[] = [];
      /** What strangers got. */
      const stolen: string[] = [];
      const hear = (outcome: CallOutcome): CallOutcome => {
        const invitesAnother =
          outcome.kind === 'challenge' || (outcome.kind === 'problem' && outcome.charged === false);
        if (invitesAnother) {
          lies.push(...world.listPaid());
        }
        if (outcome.kind === 'problem' && outcome.charged === undefined) {
          waits.push(Number(outcome.problem.headers['Retry-After'] ?? 0));
        }
        if (outcome.kind === 'answer') {
          given.add(JSON.stringify(outcome.answer.body));
        }
        return outcome;
      };
      const setRun = ({ isGood, costUsd, during: what }: Omit<Run, 'by'>): void => {
        story.run = () => {
          story.runs += 1;
          happen[what]();
          return isGood
            ? { ok: true, answer: jsonAnswer({ run: story.runs }), evidence: noEvidence }
            : { ok: false, problem: 'upstream_failed', cause: 'toy', evidence: { ...noEvidence, costUsd } };
        };
      };
      setRun(good);
      for (const next of steps) {
        if (typeof next === 'object') {
          setRun(next);
          await Promise.all(next.by.map(async (by) => hear(await world.ask(by))));
        } else if (next === 'a stranger with its body' || next === 'a stranger with another body') {
          // Before it is on the chain nobody but its buyer has it.
          if (world.listPaid().length > 0 && story.runs > 0) {
            stolen.push((await world.askAsStranger[next]()).kind);
          }
        } else if (next === 'watch' || next === 'work') {
          await world[next]();
        } else {
          happen[next]();
        }
      }
      bank.isClosed = false;
      happen.published();
      setRun(good);
      happen.filled();
      happen['sent by others']();
      for (let turn = 0; turn < 6 && given.size === 0; turn += 1) {
        hear(await world.ask(turn % 2));
        await world.work();
      }
      await world.watch();
      hear(await world.ask(0));
      expect(lies).toEqual([]);
      // By then the chain is asked again: no buyer is sent away for good by the limit of one question a second.
      expect(waits.filter((seconds) => seconds <= 1)).toEqual([]);
      expect(stolen).not.toContain('answer');
      expect(given.size).toBe(1);
      await world.watch();
      expect(await readLedger(world.payer)).toEqual(world.listPaid());
    }),
    {
      numRuns: 40,
      examples: [
        ...(['paused', 'time passes'] as const).map((what): [PublishedVersion['settlementPoint'], Step[]] => [
          'on_success',
          [failing, 'sent by others', what, good],
        ]),
        ['on_success', [{ ...failing, by: [0, 1] }, 'time passes']],
      ],
    },
  );
});
