import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { newId } from '#kit/index.ts';
import { openTestPayments } from '../../tests/support/open-test-payments.ts';
import { makeAccount, makeOffer, pay, SANDBOX_NETWORK } from '../../tests/support/pay.ts';
import { useTestChain } from '../../tests/support/test-chain.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { recordEntries, settlePayment, type LedgerInput, type Payments } from './index.ts';
import { reconcileLedger } from './reconcile-ledger.ts';

const chain = useTestChain();
const database = useTestDatabase();
let payments: Payments;

beforeAll(async () => {
  payments = await openTestPayments(chain);
});

afterAll(() => payments.close());

function makeEntries(changes: Partial<LedgerInput> = {}): LedgerInput {
  const offer = makeOffer();
  return {
    callId: newId(),
    ownerId: 'creator-1',
    network: offer.network,
    asset: offer.asset,
    amountAtomic: 10_000n,
    payer: makeAccount().address,
    payTo: makeAccount().address,
    transaction: `0x${newId().replaceAll('-', '').padStart(64, '0')}`,
    ...changes,
  };
}

async function readEntries(callId: string) {
  const { rows } = await database.current.system.query<{ account: string; amount_atomic: string }>(
    'SELECT account, amount_atomic FROM ledger_entries WHERE call_id = $1 ORDER BY amount_atomic',
    [callId],
  );
  return rows;
}

describe('booking a settled call', () => {
  test('takes from the buyer what it gives to the creator', async () => {
    const entries = makeEntries();
    await recordEntries(database.current.system, entries);
    expect(await readEntries(entries.callId)).toEqual([
      { account: `buyer:${entries.payer.toLowerCase()}`, amount_atomic: '-10000' },
      { account: `creator:${entries.payTo.toLowerCase()}`, amount_atomic: '10000' },
    ]);
  });

  test('happens once per call, however often it is asked for', async () => {
    const entries = makeEntries();
    await Promise.all([1, 2, 3].map(() => recordEntries(database.current.system, entries)));
    expect(await readEntries(entries.callId)).toHaveLength(2);
  });

  test('a creator who pays their own resource has two entries that add up to zero', async () => {
    const { address } = makeAccount();
    const entries = makeEntries({ payer: address, payTo: address });
    await recordEntries(database.current.system, entries);
    expect(await readEntries(entries.callId)).toHaveLength(2);
  });

  test('keeps amounts beyond 64 bits', async () => {
    const entries = makeEntries({ amountAtomic: 10n ** 30n });
    await recordEntries(database.current.system, entries);
    expect((await readEntries(entries.callId)).map((row) => BigInt(row.amount_atomic))).toEqual([
      -(10n ** 30n),
      10n ** 30n,
    ]);
  });

  test('entries of a call that do not add up to zero are refused at commit', async () => {
    const oneSided = database.current.transaction(async (tx) => {
      await tx.query(
        `INSERT INTO ledger_entries (call_id, owner_id, account, network, asset, amount_atomic, transaction)
         VALUES ($1, 'creator-1', $2, $3, $4, 5, $5)`,
        [newId(), `creator:0x${'ab'.repeat(20)}`, SANDBOX_NETWORK, `0x${'cd'.repeat(20)}`, `0x${'ef'.repeat(32)}`],
      );
    });
    await expect(oneSided).rejects.toThrow(/do not add up to zero/);
  });

  test('nobody changes or deletes what is booked', async () => {
    for (const sql of ['UPDATE ledger_entries SET amount_atomic = 1', 'DELETE FROM ledger_entries']) {
      await expect(database.current.system.query(sql)).rejects.toThrow(/permission denied/);
      await expect(database.current.asUser('creator-1', (tx) => tx.query(sql))).rejects.toThrow(/permission denied/);
    }
  });

  test('a creator sees their own entries and nobody else’s, and books nothing', async () => {
    const [mine, other] = [makeEntries({ ownerId: 'creator-2' }), makeEntries({ ownerId: 'creator-3' })];
    await recordEntries(database.current.system, mine);
    await recordEntries(database.current.system, other);
    const seen = await database.current.asUser(
      'creator-2',
      async (tx) => (await tx.query<{ call_id: string }>('SELECT DISTINCT call_id FROM ledger_entries')).rows,
    );
    expect(seen).toEqual([{ call_id: mine.callId }]);
    const booking = database.current.asUser('creator-2', (tx) =>
      recordEntries(tx, makeEntries({ ownerId: 'creator-2' })),
    );
    await expect(booking).rejects.toThrow(/permission denied/);
  });
});

describe('the ledger compared with the chain', () => {
  let fromBlock = 0;

  // What other tests booked in the same second would be in the time of these blocks too.
  beforeEach(async () => {
    const owner = new pg.Client({ connectionString: database.url });
    await owner.connect();
    await owner.query('TRUNCATE ledger_entries');
    await owner.end();
    fromBlock = Number(await chain.client.getBlockNumber()) + 1;
  });

  const reconcile = async () =>
    reconcileLedger(
      { database: database.current, payments },
      { network: SANDBOX_NETWORK, fromBlock, toBlock: Number(await chain.client.getBlockNumber()) },
    );

  async function sell(count: number): Promise<LedgerInput[]> {
    const offer = makeOffer({ payTo: makeAccount().address });
    const paid = await Promise.all(
      Array.from({ length: count }, async () => {
        const account = makeAccount();
        await chain.current.faucet.send(account.address);
        return pay(account, offer);
      }),
    );
    return Promise.all(
      paid.map(async (payment) => {
        const settled = await settlePayment(payments, payment, offer);
        const transaction = 'transaction' in settled ? settled.transaction : '';
        return makeEntries({ payer: payment.payer, payTo: offer.payTo, transaction });
      }),
    );
  }

  test('what was settled and booked agrees, batches included', async () => {
    const sold = await sell(6);
    for (const entries of sold) {
      await recordEntries(database.current.system, entries);
    }
    expect(await reconcile()).toMatchObject({ matched: 6, missingOnChain: [], missingInLedger: [] });
  });

  test('a transfer that nobody booked is found', async () => {
    const [booked, forgotten] = await sell(2);
    await recordEntries(database.current.system, booked ?? makeEntries());
    expect(await reconcile()).toMatchObject({
      matched: 1,
      missingOnChain: [],
      missingInLedger: [{ from: forgotten?.payer, valueAtomic: 10_000n }],
    });
  });

  test('a booking made after its block, in the time of later blocks, is matched by its receipt', async () => {
    const [sold] = await sell(1);
    await chain.client.mine({ blocks: 1 });
    fromBlock = Number(await chain.client.getBlockNumber());
    const booked = sold ?? makeEntries();
    await recordEntries(database.current.system, booked);
    await chain.client.mine({ blocks: 2, interval: 60 });
    const { matched, missingOnChain } = await reconcile();
    expect(matched).toBeGreaterThan(0);
    expect(missingOnChain.map((row) => row.callId)).not.toContain(booked.callId);
  });

  test('a booking with another amount, or without a transfer, is found', async () => {
    const [sold] = await sell(1);
    const wrong = { ...(sold ?? makeEntries()), amountAtomic: 9_999n };
    await recordEntries(database.current.system, wrong);
    const found = await reconcile();
    expect(found.missingOnChain).toContainEqual({ callId: wrong.callId, transaction: wrong.transaction });
    expect(found.missingInLedger).toHaveLength(1);
  });
});
