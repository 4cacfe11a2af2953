import { expect, test } from 'vitest';
import { newId } from '#kit/index.ts';
import { openTestPayments } from '../../tests/support/open-test-payments.ts';
import { makeAccount, makeOffer, pay, SANDBOX_NETWORK } from '../../tests/support/pay.ts';
import { quietLog, useTestChain } from '../../tests/support/test-chain.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { recordEntries, settlePayment, watchLedger, type WatchedCalls } from './index.ts';

const chain = useTestChain();
const database = useTestDatabase();
const noCalls: WatchedCalls = { adoptTransfers: async () => new Set(), recheckSettled: async () => 'missing' };

test('what is old enough is compared, and what disagrees is logged as an error', async () => {
  const errors: string[] = [];
  const log = { ...quietLog, error: (_: object, message: string) => void errors.push(message) };
  const payments = await openTestPayments(chain, { log });
  const deps = { database: database.current, payments };
  const offer = makeOffer({ payTo: makeAccount().address });
  for (const amountAtomic of [10_000n, 9_999n]) {
    const account = makeAccount();
    await chain.current.faucet.send(account.address);
    const settled = await settlePayment(payments, await pay(account, offer), offer);
    await recordEntries(database.current.system, {
      callId: newId(),
      ownerId: 'creator-1',
      network: SANDBOX_NETWORK,
      asset: offer.asset,
      amountAtomic,
      payer: account.address,
      payTo: offer.payTo,
      transaction: 'transaction' in settled ? settled.transaction : '',
    });
  }
  expect(await watchLedger(deps, 600, noCalls)).toBe(0);
  await chain.client.mine({ blocks: 2, interval: 200 });
  expect(await watchLedger(deps, 600, noCalls)).toBe(2);
  expect(errors.sort()).toEqual([
    'a creator was paid on the chain and no call has booked it',
    'booked, and the chain does not show the transfer',
  ]);
  await payments.close();
});

test('a transfer that pays a call, and a booking whose transfer is shown after all, are no errors', async () => {
  const errors: string[] = [];
  const log = { ...quietLog, error: (_: object, message: string) => void errors.push(message) };
  const payments = await openTestPayments(chain, { log });
  const deps = { database: database.current, payments };
  const offer = makeOffer({ payTo: makeAccount().address });
  const account = makeAccount();
  await chain.current.faucet.send(account.address);
  const validBefore = String(Math.floor(Date.now() / 1000) + 36_000);
  const payment = await pay(account, offer, { validBefore });
  await settlePayment(payments, payment, offer);
  const seenNow = [...payments.chains].map(([name, seen]): [string, typeof seen] => [
    name,
    { ...seen, findRange: (window) => seen.findRange({ ...window, lagSeconds: -3_600 }) },
  ]);
  const seen: string[] = [];
  const found = await watchLedger({ ...deps, payments: { ...payments, chains: new Map(seenNow) } }, 7_200, {
    adoptTransfers: async (network, transfers) => {
      const own = transfers.filter(({ uniquenessKey }) => uniquenessKey === payment.uniquenessKey);
      seen.push(...own.map(({ from, valueAtomic }) => [network, from, valueAtomic].join(' ')));
      return new Set(transfers);
    },
    recheckSettled: async () => 'shown',
  });
  expect(found).toBeGreaterThan(0);
  expect(seen).toEqual([`${SANDBOX_NETWORK} ${payment.payer} 10000`]);
  expect(errors).toEqual([]);
  await payments.close();
});

test('a chain that does not answer is no disagreement', async () => {
  const payments = await openTestPayments(chain, { rpcUrl: 'http://127.0.0.1:9' });
  expect(await watchLedger({ database: database.current, payments }, 600, noCalls)).toBe(0);
  await payments.close();
});
