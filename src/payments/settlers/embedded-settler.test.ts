import { parseEther, type Hex } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { contractAddresses } from '#sandbox/index.ts';
import { makeContractWallet } from '../../../tests/support/contract-wallet.ts';
import { startFaultyRpc } from '../../../tests/support/faulty-rpc.ts';
import { makeHostileWallet } from '../../../tests/support/hostile-wallet.ts';
import { openTestSettler } from '../../../tests/support/open-test-settler.ts';
import { makeAccount, makeOffer, pay, SANDBOX_NETWORK, signOffer, toPayment } from '../../../tests/support/pay.ts';
import { useTestChain } from '../../../tests/support/test-chain.ts';
import type { Payment } from '../payment.ts';
import { encodeTransfer } from '../schemes/exact-eip155/call-data.ts';

const chain = useTestChain();
const TRANSACTION = /^0x[0-9a-f]{64}$/;
let opened: Awaited<ReturnType<typeof openTestSettler>>;

beforeAll(async () => {
  opened = await openTestSettler(chain, { senders: 2 });
});

afterAll(() => opened.close());

async function makePayer() {
  const account = makeAccount();
  await chain.current.faucet.send(account.address);
  return account;
}

const makePayee = () => makeOffer({ payTo: makeAccount().address });
const balanceOf = (address: string) => chain.current.balanceAtomic(address as Hex);

/** Anybody who sees the authorisation can send it. */
async function sendByStranger(payment: Payment): Promise<Hex> {
  const stranger = makeAccount();
  await chain.current.fund(stranger.address, parseEther('1'));
  const hash = await chain.client.sendTransaction({
    account: stranger,
    to: contractAddresses.usdc,
    data: encodeTransfer(payment) as Hex,
    gas: 300_000n,
  });
  await chain.client.waitForTransactionReceipt({ hash });
  return hash;
}

test('settles by a real transaction and moves exactly the price', async () => {
  const payer = await makePayer();
  const offer = makePayee();
  const settled = await opened.settler.settle(await pay(payer, offer), offer);
  expect(settled).toEqual({
    status: 'settled',
    transaction: expect.stringMatching(TRANSACTION),
    network: SANDBOX_NETWORK,
  });
  expect(await balanceOf(offer.payTo)).toBe(10_000n);
  expect(await balanceOf(payer.address)).toBe(9_990_000n);
});

test('20 at once with 8 bad ones among them: all good ones settle, each bad one gets its reason', async () => {
  const offer = makePayee();
  const good = await Promise.all(Array.from({ length: 12 }, async () => pay(await makePayer(), offer)));
  const poor = await Promise.all(Array.from({ length: 4 }, () => pay(makeAccount(), offer)));
  const late = await Promise.all(
    Array.from({ length: 2 }, async () => pay(await makePayer(), offer, { validBefore: '1000' })),
  );
  const forged = await Promise.all(
    Array.from({ length: 2 }, async () => {
      const payload = await signOffer(await makePayer(), offer);
      const stranger = await signOffer(makeAccount(), offer);
      return toPayment(2, offer, { ...payload, signature: stranger.signature });
    }),
  );
  const mixed = [...good.slice(0, 6), ...poor, ...late, ...forged, ...good.slice(6)];
  const outcomes = await Promise.all(mixed.map((payment) => opened.settler.settle(payment, offer)));
  const reasonOf = (payment: Payment) => {
    const outcome = outcomes[mixed.indexOf(payment)];
    return outcome && 'reason' in outcome ? `${outcome.status} ${outcome.reason}` : outcome?.status;
  };
  expect(good.map(reasonOf)).toEqual(good.map(() => 'settled'));
  expect(poor.map(reasonOf)).toEqual(poor.map(() => 'refused invalid_exact_evm_insufficient_balance'));
  expect(late.map(reasonOf)).toEqual(late.map(() => 'refused invalid_exact_evm_payload_authorization_valid_before'));
  expect(forged.map(reasonOf)).toEqual(forged.map(() => 'refused invalid_exact_evm_signature'));
  expect(await balanceOf(offer.payTo)).toBe(120_000n);
});

test('payments that queue up while a transaction is under way share the next one', async () => {
  const { settler, close } = await openTestSettler(chain);
  const offer = makePayee();
  const payments = await Promise.all(Array.from({ length: 30 }, async () => pay(await makePayer(), offer)));
  const before = await chain.client.getBlockNumber();
  const outcomes = await Promise.all(payments.map((payment) => settler.settle(payment, offer)));
  expect(new Set(outcomes.map((outcome) => outcome.status))).toEqual(new Set(['settled']));
  expect(await chain.client.getBlockNumber()).toBe(before + 1n);
  await close();
});

test('settling the same payment many times at once sends one transaction', async () => {
  const offer = makePayee();
  const payment = await pay(await makePayer(), offer);
  const before = await chain.client.getBlockNumber();
  const outcomes = await Promise.all(Array.from({ length: 20 }, () => opened.settler.settle(payment, offer)));
  expect(new Set(outcomes.map((outcome) => JSON.stringify(outcome))).size).toBe(1);
  expect(outcomes[0]?.status).toBe('settled');
  expect(await chain.client.getBlockNumber()).toBe(before + 1n);
  expect(await balanceOf(offer.payTo)).toBe(10_000n);
});

test('a payment that a stranger sent first is paid, with the transaction of the stranger', async () => {
  const offer = makePayee();
  const payment = await pay(await makePayer(), offer);
  const transaction = await sendByStranger(payment);
  expect(await opened.settler.settle(payment, offer)).toEqual({
    status: 'settled',
    transaction,
    network: SANDBOX_NETWORK,
  });
  expect(await balanceOf(offer.payTo)).toBe(10_000n);
});

test('a nonce that went to another payee is refused', async () => {
  const payer = await makePayer();
  const [offer, other] = [makePayee(), makePayee()];
  const payment = await pay(payer, offer);
  await sendByStranger(await pay(payer, other, { nonce: payment.uniquenessKey }));
  expect(await opened.settler.settle(payment, offer)).toEqual({
    status: 'refused',
    reason: 'invalid_exact_evm_nonce_already_used',
  });
  expect(await balanceOf(offer.payTo)).toBe(0n);
});

test('two authorisations with one nonce in one batch, and one that looks like the second: only what moved is settled', async () => {
  const { settler, close } = await openTestSettler(chain);
  const payer = await makePayer();
  const [offer, other] = [makePayee(), makePayee()];
  const first = await pay(payer, other);
  const second = await pay(payer, offer, { nonce: first.uniquenessKey });
  const third = await pay(payer, offer);
  const outcomes = await Promise.all([
    settler.settle(first, other),
    settler.settle(second, offer),
    settler.settle(third, offer),
  ]);
  expect(outcomes.map((outcome) => outcome.status)).toEqual(['settled', 'refused', 'settled']);
  expect(await balanceOf(offer.payTo)).toBe(10_000n);
  await close();
});

test('a payer whose balance covers one of two payments pays one of them', async () => {
  const payer = await makePayer();
  const offer = makeOffer({ payTo: makeAccount().address, amountAtomic: 6_000_000n });
  const outcomes = await Promise.all(
    [await pay(payer, offer), await pay(payer, offer)].map((payment) => opened.settler.settle(payment, offer)),
  );
  expect(outcomes.map((outcome) => outcome.status).sort()).toEqual(['refused', 'settled']);
  expect(await balanceOf(offer.payTo)).toBe(6_000_000n);
});

test('a contract wallet pays by ERC-1271, beside others', async () => {
  const owner = makeAccount();
  const wallet = await makeContractWallet(chain, owner);
  const offer = makePayee();
  const payments = [await pay(owner, offer, { from: wallet }), await pay(await makePayer(), offer)];
  const outcomes = await Promise.all(payments.map((payment) => opened.settler.settle(payment, offer)));
  expect(outcomes.map((outcome) => outcome.status)).toEqual(['settled', 'settled']);
  expect(await balanceOf(wallet)).toBe(9_990_000n);
});

test('a contract wallet that accepts only simulations is refused before any gas is paid', async () => {
  const wallet = await makeHostileWallet(chain);
  const offer = makePayee();
  const before = await chain.client.getBlockNumber();
  const outcome = await opened.settler.settle(await pay(makeAccount(), offer, { from: wallet }), offer);
  expect(outcome.status).toBe('refused');
  expect(await chain.client.getBlockNumber()).toBe(before);
});

test('a contract wallet that no simulation sees through is given up after two transactions', async () => {
  const nobody = '0x0000000000000000000000000000000000000000';
  await chain.client.setBalance({ address: nobody, value: parseEther('1') });
  const rpc = await startFaultyRpc(chain.current.rpcUrl);
  rpc.alter((body) => body.replaceAll(/"from":"0x[0-9a-f]{40}"/gi, `"from":"${nobody}"`));
  const { settler, close } = await openTestSettler(chain, { rpcUrl: rpc.url });
  const wallet = await makeHostileWallet(chain);
  const offer = makePayee();
  const before = await chain.client.getBlockNumber();
  expect(await settler.settle(await pay(makeAccount(), offer, { from: wallet }), offer)).toEqual({
    status: 'refused',
    reason: 'invalid_exact_evm_transaction_failed',
    reverted: 2,
  });
  expect(await chain.client.getBlockNumber()).toBe(before + 2n);
  await close();
  await rpc.close();
});

test('an account without gas sends nothing and says so', async () => {
  const key = generatePrivateKey();
  const { settler, close } = await openTestSettler(chain, { privateKeys: [key] });
  await chain.client.setBalance({ address: privateKeyToAccount(key).address, value: 0n });
  const offer = makePayee();
  const payment = await pay(await makePayer(), offer);
  expect(await settler.settle(payment, offer)).toEqual({ status: 'unavailable', reason: 'settler_out_of_gas' });
  expect(await settler.checkReady(SANDBOX_NETWORK)).toMatchObject({ ready: false });
  await chain.current.fund(privateKeyToAccount(key).address, parseEther('1'));
  expect(await settler.checkReady(SANDBOX_NETWORK)).toEqual({ ready: true });
  expect((await settler.settle(payment, offer)).status).toBe('settled');
  await close();
});
