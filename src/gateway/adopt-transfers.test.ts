import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { systemClock } from '#kit/index.ts';
import { settlePayment, type Payments } from '#payments/index.ts';
import { publishedVersion } from '../../tests/support/execution-deps.ts';
import { insertCall } from '../../tests/support/insert-call.ts';
import { openTestPayments } from '../../tests/support/open-test-payments.ts';
import { makeAccount, makeOffer, pay, SANDBOX_NETWORK } from '../../tests/support/pay.ts';
import { quietLog, useTestChain } from '../../tests/support/test-chain.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { PAID_BY_OTHERS } from './adopt-transfer.ts';
import { adoptTransfers, recheckSettled } from './adopt-transfers.ts';

const chain = useTestChain();
const database = useTestDatabase();
let payments: Payments;

beforeAll(async () => {
  payments = await openTestPayments(chain);
});
afterAll(() => payments.close());

const deps = () => ({
  database: database.current,
  published: { findVersion: () => publishedVersion() } as never,
  payments,
  kinds: new Map(),
  publicUrl: 'https://farebox.test',
  clock: systemClock,
  log: quietLog,
});

async function makePayment(isSettled: boolean) {
  const offer = makeOffer({ payTo: makeAccount().address });
  const account = makeAccount();
  await chain.current.faucet.send(account.address);
  const payment = await pay(account, offer);
  const settled = isSettled ? await settlePayment(payments, payment, offer) : null;
  const transaction = settled?.status === 'settled' ? settled.transaction : '';
  const { uniquenessKey, payer } = payment;
  const to = offer.payTo.toLowerCase();
  return { payment, offer, transfer: { transaction, uniquenessKey, from: payer, to, valueAtomic: 10_000n } };
}

async function readCall(id: string) {
  const { rows } = await database.current.system.query<{
    state: string;
    reason: string | null;
    is_missing: boolean;
    booked: number;
  }>(
    `SELECT state, reason, transfer_missing_at IS NOT NULL AS is_missing,
       (SELECT count(*)::int FROM ledger_entries l WHERE l.call_id = c.id) AS booked
     FROM calls c WHERE id = $1`,
    [id],
  );
  return rows[0];
}

test.each(['failed', 'refused'])(
  'a transfer moves the last %s call that held its payment, and books it once',
  async (state) => {
    const { transfer, ...call } = await makePayment(true);
    const [older, newer] = [
      await insertCall(database.current, { ...call, state, ageSeconds: 60 }),
      await insertCall(database.current, { ...call, state, ageSeconds: 30 }),
    ];
    for (let turn = 0; turn < 2; turn += 1) {
      await adoptTransfers(deps(), SANDBOX_NETWORK, [transfer]);
    }
    expect(await readCall(newer)).toMatchObject({ state: 'owed', booked: 2 });
    expect(await readCall(older)).toMatchObject({ state, booked: 0 });
  },
);

test.each(['claimed', 'running', 'settling', 'pending'])(
  'a transfer of a call that stands in %s belongs to it, and leaves it to those who carry it out',
  async (state) => {
    const { transfer, ...call } = await makePayment(true);
    const released = await insertCall(database.current, { ...call, state: 'failed', ageSeconds: 60 });
    const id = await insertCall(database.current, { ...call, state });
    expect(await adoptTransfers(deps(), SANDBOX_NETWORK, [transfer])).toEqual(new Set([transfer]));
    expect(await readCall(id)).toMatchObject({ state, booked: 0 });
    expect(await readCall(released)).toMatchObject({ state: 'failed', booked: 0 });
  },
);

test('a transfer of another amount, and one whose call has forgotten what was signed, belong to no call', async () => {
  const { transfer, ...call } = await makePayment(true);
  const id = await insertCall(database.current, { ...call, state: 'failed', ageSeconds: 60 });
  expect(await adoptTransfers(deps(), SANDBOX_NETWORK, [{ ...transfer, valueAtomic: 1n }])).toEqual(new Set());
  await database.current.system.query(`UPDATE calls SET payment = payment - 'payload' WHERE id = $1`, [id]);
  expect(await adoptTransfers(deps(), SANDBOX_NETWORK, [transfer])).toEqual(new Set());
  expect(await readCall(id)).toMatchObject({ state: 'failed', booked: 0 });
});

test('a booked call whose transfer is not on the chain is marked and stays as it is; one that is shown is not', async () => {
  const { payment, offer } = await makePayment(false);
  const missing = await insertCall(database.current, { payment, offer, state: 'delivered' });
  expect(await recheckSettled(deps(), missing)).toBe('missing');
  expect(await readCall(missing)).toMatchObject({ state: 'delivered', reason: null, is_missing: true });
  const { transfer: _, ...call } = await makePayment(true);
  const shown = await insertCall(database.current, { ...call, state: 'delivered' });
  expect(await recheckSettled(deps(), shown)).toBe('shown');
  expect(await readCall(shown)).toMatchObject({ state: 'delivered', reason: null, is_missing: false });
});

test('a chain that cannot be asked marks nothing', async () => {
  const { payment, offer } = await makePayment(false);
  const id = await insertCall(database.current, { payment, offer, state: 'delivered' });
  const blind = await openTestPayments(chain, { rpcUrl: 'http://127.0.0.1:9' });
  expect(await recheckSettled({ ...deps(), payments: blind }, id)).toBe('unknown');
  expect(await readCall(id)).toMatchObject({ is_missing: false });
  await blind.close();
});

test('a call that was paid by others and is marked as missing on the chain still waits for the input of its buyer', async () => {
  const { transfer, ...call } = await makePayment(true);
  const id = await insertCall(database.current, { ...call, state: 'failed' });
  await adoptTransfers(deps(), SANDBOX_NETWORK, [transfer]);
  const none = {
    ...payments,
    schemes: payments.schemes.map((scheme) => ({ ...scheme, lookUp: async () => ({ status: 'unused' }) as const })),
  };
  expect(await recheckSettled({ ...deps(), payments: none }, id)).toBe('missing');
  expect(await readCall(id)).toMatchObject({ state: 'owed', reason: PAID_BY_OTHERS, is_missing: true });
});

test('transfers are looked for by the indexes of their payments, however many calls there are', async () => {
  const { transfer } = await makePayment(true);
  const { system } = database.current;
  const asked = vi.spyOn(system, 'query');
  await adoptTransfers(deps(), SANDBOX_NETWORK, [transfer]);
  const [text, values] = asked.mock.calls[0] as unknown as [string, unknown[]];
  asked.mockRestore();
  const plan = await database.current.transaction(async (tx) => {
    await tx.query('SET LOCAL enable_seqscan = off');
    const { rows } = await tx.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${text}`, values);
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  });
  const [claim, released] = ['calls_claim', 'calls_released_payment'].map((index) =>
    plan.slice(plan.indexOf(index)).split('\n').slice(0, 2).join(),
  );
  expect(
    [claim, released].filter((part) => !/Index Cond: .*network.*asset.*payer.*uniqueness_key/.test(part ?? '')),
  ).toEqual([]);
});
