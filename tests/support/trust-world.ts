import { afterAll, beforeAll, expect } from 'vitest';
import { newId, systemClock } from '#kit/index.ts';
import { openDatabase, type Database } from '#database/index.ts';
import type { Payments } from '#payments/index.ts';
import type { PublishedVersion, ResourceKind } from '#resources/index.ts';
import { admitToRun } from '#gateway/admit-to-run.ts';
import type { PaidCall } from '#gateway/call-record.ts';
import { claimPayment } from '#gateway/claim.ts';
import { transition, type TransitionName } from '#gateway/transitions.ts';
import { publishedVersion } from './execution-deps.ts';
import { makeAccount, makeOffer, pay, schemeList } from './pay.ts';
import { useTestDatabase } from './test-database.ts';

const offer = makeOffer();
const { amountAtomic, ...terms } = offer;
const accepted = { ...terms, amount: amountAtomic.toString() };

/** A call that asks to be worked for before it pays: of which wallet, client and resource, and what it may cost. */
export interface Asked {
  wallet: number;
  client: number;
  resource: number;
  cents: number;
  /** What the payer adds to the offer that it accepts. */
  extra?: Record<string, string>;
  /** What the chain tells; enough for everything unless said. */
  balanceAtomic?: bigint;
  /** May the call wait for newer figures? */
  mayWait?: boolean;
  /** Somebody else signs for the wallet. */
  isContract?: boolean;
}

/** A creator with resources, and those who call them. */
export interface TrustWorld {
  ownerId: string;
  wallets: ReturnType<typeof makeAccount>[];
  clients: string[];
  versions: PublishedVersion[];
}

type Deps = Parameters<typeof admitToRun>[0];

/** Call at the top of a test file: calls that are claimed and admitted in two processes, without a chain. */
export function useTrust() {
  const database = useTestDatabase();
  const processes: Database[] = [];
  beforeAll(() => {
    const open = () => openDatabase({ url: database.url, systemConnections: 4, userConnections: 1 });
    processes.push(open(), open());
  });
  afterAll(() => Promise.all(processes.map((one) => one.close())));

  function depsOf(
    process: number,
    settlementPoints: ResourceKind['settlementPoints'] = ['on_success', 'upfront'],
  ): Deps {
    return {
      database: processes[process % processes.length] as Database,
      payments: { ...schemeList, settleLimitMs: 1000 } as unknown as Payments,
      kinds: new Map([['openrouter_instant', { settlementPoints } as ResourceKind]]),
      publicUrl: 'https://farebox.test',
      clock: systemClock,
    };
  }

  /** `null`: the creator has chosen nothing. */
  async function openWorld(
    maxUsd: string | null,
    size = { wallets: 6, clients: 3, resources: 2 },
  ): Promise<TrustWorld> {
    const ownerId = newId();
    if (maxUsd !== null) {
      await database.current.system.query('INSERT INTO trust_limits (owner_id, max_usd_per_day) VALUES ($1, $2)', [
        ownerId,
        maxUsd,
      ]);
    }
    return {
      ownerId,
      wallets: Array.from({ length: size.wallets }, makeAccount),
      clients: Array.from({ length: size.clients }, newId),
      versions: Array.from({ length: size.resources }, () => {
        return { ...publishedVersion({}), ownerId, resourceId: newId(), versionId: newId() };
      }),
    };
  }

  /** Claims and asks to be admitted, as the paid call does after it has asked the chain. */
  async function begin(world: TrustWorld, asked: Asked, deps = depsOf(0)) {
    const { balanceAtomic = 10n ** 12n, mayWait = false } = asked;
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
      offeredAt: version.publishedAt,
      fingerprint: 'f',
      input: {},
      run: 1,
      startedAt: 0,
    };
    const client = world.clients[asked.client] as string;
    const claim = {
      ...call,
      ...version,
      processId: newId(),
      deadlineInMs: 60_000,
      proofs: [],
      client,
    };
    await claimPayment(deps, { ...claim, trustUsd: (asked.cents / 100).toString() });
    const admitted = await admitToRun(deps, call, { balanceAtomic, deadlineInMs: 60_000, mayWait });
    return { callId: call.callId, admitted };
  }

  async function move(callId: string, ...names: TransitionName[]): Promise<void> {
    for (const name of names) {
      const changes = { answer: {}, record: {}, transaction: '0x1' };
      expect(await transition(database.current.system, { callId, name }, changes)).toBe(true);
    }
  }

  /** The run ends without an answer; `null`: nobody knows what it has cost. */
  async function fail(callId: string, costUsd: string | null): Promise<void> {
    const changes = { costUsd };
    expect(await transition(database.current.system, { callId, name: 'fail' }, changes)).toBe(true);
  }

  return { database, depsOf, openWorld, begin, move, fail };
}
