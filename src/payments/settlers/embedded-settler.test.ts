import { parseEther, type Hex } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '#kit/index.ts';
import { makeAccount, makeOffer, pay, SANDBOX_NETWORK } from '../../../tests/support/pay.ts';
import { quietLog, useTestChain } from '../../../tests/support/test-chain.ts';
import { openPayments, settlePayment, verifyPayment, type Payments } from '../index.ts';

const chain = useTestChain();
const keys = [generatePrivateKey(), generatePrivateKey()];
let payments: Payments;

beforeAll(async () => {
  await Promise.all(keys.map((key) => chain.current.fund(privateKeyToAccount(key).address, parseEther('10'))));
  payments = openPayments({
    networks: [SANDBOX_NETWORK],
    rpcUrls: new Map([[SANDBOX_NETWORK, chain.current.rpcUrl]]),
    facilitatorUrls: [],
    settlerPrivateKeys: keys,
    clock: systemClock,
    log: quietLog,
  });
});

afterAll(() => payments.close());

async function makePayer() {
  const account = makeAccount();
  await chain.current.faucet.send(account.address);
  return account;
}

const balanceOf = (address: string) => chain.current.balanceAtomic(address as Hex);

test('a payment is verified, settled by a real transaction and moves exactly the price', async () => {
  const payer = await makePayer();
  const offer = makeOffer({ payTo: makeAccount().address });
  const payment = await pay(payer, offer);
  expect(await verifyPayment(payments, payment, offer)).toEqual({ ok: true });
  const settled = await settlePayment(payments, payment, offer);
  expect(settled).toEqual({
    status: 'settled',
    transaction: expect.stringMatching(/^0x[0-9a-f]{64}$/),
    network: SANDBOX_NETWORK,
  });
  expect(await balanceOf(offer.payTo)).toBe(10_000n);
  expect(await balanceOf(payer.address)).toBe(9_990_000n);
  expect(await verifyPayment(payments, payment, offer)).toEqual({
    ok: false,
    reason: 'invalid_exact_evm_nonce_already_used',
  });
});
