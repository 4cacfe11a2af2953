import { parseEther, type Hex } from 'viem';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { newId, systemClock } from '#kit/index.ts';
import type { Payments } from '#payments/index.ts';
import { openPublished } from '#resources/index.ts';
import { startFaultyRpc, type FaultyRpc } from '../../tests/support/faulty-rpc.ts';
import { makeHostileWallet } from '../../tests/support/hostile-wallet.ts';
import { insertCall } from '../../tests/support/insert-call.ts';
import { openTestPayments } from '../../tests/support/open-test-payments.ts';
import { makeAccount, makeOffer, pay } from '../../tests/support/pay.ts';
import { quietLog, useTestChain } from '../../tests/support/test-chain.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { reconcileCalls, resolveAllPending } from './reconcile-calls.ts';
import { resolvePending } from './resolve-pending.ts';

const chain = useTestChain();
const database = useTestDatabase();
let rpc: FaultyRpc;
let payments: Payments;

beforeEach(async () => {
  rpc = await startFaultyRpc(chain.current.rpcUrl);
  payments = await openTestPayments(chain, { rpcUrl: rpc.url });
  await database.current.system.query('DELETE FROM calls');
});

afterEach(async () => {
  await payments.close();
  await rpc.close();
});

const deps = () => ({
  database: database.current,
  published: openPublished({ database: database.current, clock: systemClock }),
  payments,
  clock: systemClock,
  log: quietLog,
});
const makePayee = () => makeOffer({ payTo: makeAccount().address });
const countSent = () => rpc.seen.filter((method) => method === 'eth_sendRawTransaction').length;

async function readCall(id: string) {
  const { rows } = await database.current.system.query<{ state: string; settle_attempts: number; due_in: number }>(
    `SELECT state, settle_attempts, extract(epoch FROM deadline - now())::float AS due_in FROM calls WHERE id = $1`,
    [id],
  );
  return rows[0] ?? { state: 'gone', settle_attempts: 0, due_in: 0 };
}

async function makeDue(id: string): Promise<void> {
  await database.current.system.query(`UPDATE calls SET deadline = now(), looked_up_at = NULL WHERE id = $1`, [id]);
}

describe('the chain is asked in turns', () => {
  test('many at once ask it once, and nobody sends before the call is due', async () => {
    const offer = makePayee();
    const account = makeAccount();
    await chain.current.faucet.send(account.address);
    const payment = await pay(account, offer);
    const id = await insertCall(database.current, { state: 'pending', payment, offer, dueInSeconds: 60 });
    await Promise.all(Array.from({ length: 10 }, () => resolvePending(deps(), id)));
    expect(rpc.seen.filter((method) => method === 'eth_getBlockByNumber')).toHaveLength(1);
    expect(countSent()).toBe(0);
    expect((await readCall(id)).state).toBe('pending');
  });

  test('the pause doubles from two seconds to a minute', async () => {
    const offer = makePayee();
    const id = await insertCall(database.current, {
      state: 'pending',
      payment: await pay(makeAccount(), offer),
      offer,
    });
    const pauses: number[] = [];
    for (let turn = 0; turn < 7; turn += 1) {
      await makeDue(id);
      await resolvePending(deps(), id);
      pauses.push(Math.round((await readCall(id)).due_in));
    }
    expect(pauses).toEqual([2, 4, 8, 16, 32, 60, 60]);
  });
});

test('a wallet that burns gas is sent for twice in all, and only looked up from then on', async () => {
  const nobody = '0x0000000000000000000000000000000000000000';
  await chain.client.setBalance({ address: nobody, value: parseEther('1') });
  rpc.alter((body) => body.replaceAll(/"from":"0x[0-9a-f]{40}"/gi, `"from":"${nobody}"`));
  const offer = makePayee();
  const payment = await pay(makeAccount(), offer, { from: await makeHostileWallet(chain) });
  const id = await insertCall(database.current, { state: 'pending', payment, offer });
  const before = await chain.client.getBlockNumber();
  for (let turn = 0; turn < 4; turn += 1) {
    await makeDue(id);
    await resolvePending(deps(), id);
  }
  expect(await chain.client.getBlockNumber()).toBe(before + 2n);
  expect(await readCall(id)).toMatchObject({ state: 'pending', settle_attempts: 2 });
  expect(await chain.current.balanceAtomic(offer.payTo as Hex)).toBe(0n);
});

test('calls of dead processes are moved on while the chain does not answer and many are pending', async () => {
  rpc.plan(() => 'hang before');
  const offer = makePayee();
  const payment = await pay(makeAccount(), offer);
  for (let index = 0; index < 120; index += 1) {
    await insertCall(database.current, { state: 'pending', payment: { ...payment, uniquenessKey: newId() }, offer });
  }
  const claimed = await insertCall(database.current, { state: 'claimed' });
  const settling = await insertCall(database.current, { state: 'settling' });
  expect(await reconcileCalls(deps())).toBe(2);
  expect((await readCall(claimed)).state).toBe('refused');
  expect((await readCall(settling)).state).toBe('pending');
  expect(rpc.seen).toEqual([]);
});

test('several pending calls are resolved at a time', async () => {
  const offer = makePayee();
  const accounts = Array.from({ length: 20 }, () => makeAccount());
  for (const account of accounts) {
    await insertCall(database.current, { state: 'pending', payment: await pay(account, offer), offer });
  }
  expect(await resolveAllPending(deps())).toBe(20);
  expect(await resolveAllPending(deps())).toBe(0);
});
