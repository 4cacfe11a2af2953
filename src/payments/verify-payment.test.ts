import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Hex } from 'viem';
import { makeContractWallet } from '../../tests/support/contract-wallet.ts';
import { startFaultyRpc, type Fault, type FaultyRpc } from '../../tests/support/faulty-rpc.ts';
import { makeHostileWallet } from '../../tests/support/hostile-wallet.ts';
import { openTestPayments } from '../../tests/support/open-test-payments.ts';
import { makeAccount, makeOffer, pay, signOffer, toPayment } from '../../tests/support/pay.ts';
import { useTestChain } from '../../tests/support/test-chain.ts';
import { verifyPayment, type Payments } from './index.ts';
import { MULTICALL3 } from './settlers/eip155/call-data.ts';

const chain = useTestChain();
const offer = makeOffer({ payTo: makeAccount().address });
let rpc: FaultyRpc;
let payments: Payments;

beforeAll(async () => {
  payments = await openTestPayments(chain);
});

afterAll(() => payments.close());

beforeEach(async () => {
  rpc = await startFaultyRpc(chain.current.rpcUrl);
});

afterEach(() => rpc.close());

async function makePayer() {
  const account = makeAccount();
  await chain.current.faucet.send(account.address);
  return account;
}

const refusal = (reason: string) => ({ ok: false, reason });

test('all verifications of one moment share one call to the chain', async () => {
  const seen = await openTestPayments(chain, { rpcUrl: rpc.url });
  const good = await Promise.all(Array.from({ length: 20 }, async () => pay(await makePayer(), offer)));
  const poor = await pay(makeAccount(), offer);
  await verifyPayment(seen, poor, offer);
  rpc.seen.length = 0;
  const verdicts = await Promise.all([...good, poor].map((payment) => verifyPayment(seen, payment, offer)));
  expect(verdicts).toMatchObject([
    ...good.map(() => ({ ok: true })),
    refusal('invalid_exact_evm_insufficient_balance'),
  ]);
  expect(rpc.seen).toEqual(['eth_call']);
  await seen.close();
});

test('two payments of one payer verified at once are each judged alone', async () => {
  const payer = await makePayer();
  const big = makeOffer({ payTo: offer.payTo, amountAtomic: 6_000_000n });
  const both = await Promise.all([pay(payer, big), pay(payer, big)]);
  expect(await Promise.all(both.map((payment) => verifyPayment(payments, payment, big)))).toMatchObject([
    { ok: true },
    { ok: true },
  ]);
});

test('without Multicall3, single calls give the same verdicts', async () => {
  const code = await chain.client.getCode({ address: MULTICALL3 });
  await chain.client.setCode({ address: MULTICALL3, bytecode: '0x' });
  const without = await openTestPayments(chain);
  const [good, poor] = [await pay(await makePayer(), offer), await pay(makeAccount(), offer)];
  const verdicts = await Promise.all([good, poor].map((payment) => verifyPayment(without, payment, offer)));
  await chain.client.setCode({ address: MULTICALL3, bytecode: code ?? '0x' });
  await without.close();
  expect(verdicts).toMatchObject([{ ok: true }, refusal('invalid_exact_evm_insufficient_balance')]);
});

test('a network or an asset that is not ours is refused', async () => {
  const payment = await pay(await makePayer(), offer);
  const reason = 'invalid_exact_evm_network_mismatch';
  expect(await verifyPayment(payments, payment, makeOffer({ network: 'eip155:8453' }))).toEqual(refusal(reason));
  expect(await verifyPayment(payments, { ...payment, network: 'eip155:8453' }, offer)).toEqual(refusal(reason));
  const forged = { ...offer, asset: makeAccount().address };
  expect(await verifyPayment(payments, payment, forged)).toEqual(refusal(reason));
});

test('on a chain whose last block is old, a window that our own clock finds open is open', async () => {
  const { timestamp } = await chain.client.getBlock();
  const payer = await makePayer();
  const payment = await pay(payer, offer, { validAfter: String(timestamp + 2n) });
  await chain.client.setNextBlockTimestamp({ timestamp: timestamp + 3n });
  const clock = { now: () => Number(timestamp + 3n) * 1000 };
  const later = await openTestPayments(chain, { clock });
  expect(await verifyPayment(later, payment, offer)).toMatchObject({ ok: true });
  await later.close();
  await chain.client.mine({ blocks: 1 });
});

describe('wallets with code', () => {
  test('a contract wallet is asked whether it accepts the signature', async () => {
    const owner = makeAccount();
    const wallet = await makeContractWallet(chain, owner);
    const payment = await pay(owner, offer, { from: wallet });
    expect(await verifyPayment(payments, payment, offer)).toMatchObject({ ok: true });
    const forged = await pay(makeAccount(), offer, { from: wallet });
    expect(await verifyPayment(payments, forged, offer)).toEqual(refusal('invalid_exact_evm_signature'));
  });

  test('a contract wallet that accepts only simulations is refused', async () => {
    const wallet = await makeHostileWallet(chain);
    const payment = await pay(makeAccount(), offer, { from: wallet });
    expect(await verifyPayment(payments, payment, offer)).toEqual(refusal('invalid_exact_evm_signature'));
    const withoutKeys = await openTestPayments(chain, { settlerPrivateKeys: [] });
    expect(await verifyPayment(withoutKeys, payment, offer)).toEqual(refusal('invalid_exact_evm_signature'));
    await withoutKeys.close();
  });

  test('an account that handed itself to code that refuses its own key cannot pay (EIP-7702): the token would not either', async () => {
    const payer = await makePayer();
    const payment = await pay(payer, offer);
    expect(await verifyPayment(payments, payment, offer)).toMatchObject({ ok: true });
    await chain.client.setCode({ address: payer.address, bytecode: '0x60006000fd' });
    expect(await verifyPayment(payments, payment, offer)).toMatchObject({ ok: false });
    expect(await verifyPayment(payments, payment, offer)).not.toHaveProperty('retryable');
  });

  test('code that burns all gas harms nobody who is verified beside it', async () => {
    const hostile = await makePayer();
    const hostilePayment = await pay(hostile, offer);
    await chain.client.setCode({ address: hostile.address, bytecode: '0x5b600056' });
    const good = await Promise.all(Array.from({ length: 5 }, async () => pay(await makePayer(), offer)));
    const all = [good[0], hostilePayment, ...good.slice(1)].flatMap((payment) => payment ?? []);
    const verdicts = await Promise.all(all.map((payment) => verifyPayment(payments, payment, offer)));
    expect(verdicts.map((verdict) => verdict.ok)).toEqual([true, false, true, true, true, true]);
  });

  test('a wallet that is not deployed yet is refused by its name', async () => {
    const payload = await signOffer(makeAccount(), offer, { from: makeAccount().address });
    const wrapped = `0x${'00'.repeat(128)}${'6492'.repeat(16)}`;
    const payment = toPayment(2, offer, { ...payload, signature: wrapped });
    expect(await verifyPayment(payments, payment, offer)).toEqual(refusal('eip6492_factory_not_allowed'));
  });
});

describe('when the chain cannot be asked', () => {
  const faults: Fault[] = ['drop before', 'error before', 'http 500 after', 'garbage after'];

  test.each(faults)('"%s": nobody is refused; the same payment may be tried again', async (fault) => {
    const broken = await openTestPayments(chain, { rpcUrl: rpc.url });
    const payment = await pay(await makePayer(), offer);
    rpc.plan(() => fault);
    expect(await verifyPayment(broken, payment, offer)).toEqual({
      ok: false,
      reason: 'unexpected_verify_error',
      retryable: true,
    });
    rpc.plan(() => null);
    expect(await verifyPayment(broken, payment, offer)).toMatchObject({ ok: true });
    await broken.close();
  });

  test('a wrong payee, amount or window is refused without it', async () => {
    rpc.plan(() => 'drop before');
    const broken = await openTestPayments(chain, { rpcUrl: rpc.url });
    const payer = makeAccount();
    const verdict = async (changes: Parameters<typeof pay>[2]) =>
      verifyPayment(broken, await pay(payer, offer, changes), offer);
    expect(await verdict({ to: payer.address })).toEqual(refusal('invalid_exact_evm_recipient_mismatch'));
    expect(await verdict({ value: '1' })).toEqual(refusal('invalid_exact_evm_payload_authorization_value_mismatch'));
    expect(await verdict({ validBefore: '1' })).toEqual(
      refusal('invalid_exact_evm_payload_authorization_valid_before'),
    );
    await broken.close();
  });

  test('no token at the address of the asset: the payment may be tried again', async () => {
    const usdc = offer.asset as Hex;
    const code = await chain.client.getCode({ address: usdc });
    const payment = await pay(await makePayer(), offer);
    await chain.client.setCode({ address: usdc, bytecode: '0x' });
    const verdict = await verifyPayment(payments, payment, offer);
    await chain.client.setCode({ address: usdc, bytecode: code ?? '0x' });
    expect(verdict).toMatchObject({ ok: false, retryable: true });
  });
});
