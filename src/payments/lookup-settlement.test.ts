import { parseEther, type Hex } from 'viem';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startFaultyRpc } from '../../tests/support/faulty-rpc.ts';
import { openTestPayments } from '../../tests/support/open-test-payments.ts';
import { makeAccount, makeOffer, pay } from '../../tests/support/pay.ts';
import { useTestChain } from '../../tests/support/test-chain.ts';
import { lookupSettlement, settlePayment, type Payment, type Payments } from './index.ts';
import { encodeTransfer } from './schemes/exact-eip155/call-data.ts';

const chain = useTestChain();
const closing: Payments[] = [];
let payments: Payments;

beforeAll(async () => {
  payments = await openTestPayments(chain);
});

afterEach(() => Promise.all(closing.splice(0).map((opened) => opened.close())));

afterAll(() => payments.close());

async function open(...options: Parameters<typeof openTestPayments>[1][]) {
  const opened = await openTestPayments(chain, ...options);
  closing.push(opened);
  return opened;
}

const makePayee = () => makeOffer({ payTo: makeAccount().address });

async function makePayer() {
  const account = makeAccount();
  await chain.current.faucet.send(account.address);
  return account;
}

async function sendByStranger(data: string): Promise<Hex> {
  const stranger = makeAccount();
  await chain.current.fund(stranger.address, parseEther('1'));
  const to = makeOffer().asset as Hex;
  const hash = await chain.client.sendTransaction({ account: stranger, to, data: data as Hex, gas: 300_000n });
  await chain.client.waitForTransactionReceipt({ hash });
  return hash;
}

test('a payment looked up is unused, then settled with its transaction', async () => {
  const offer = makePayee();
  const payment = await pay(await makePayer(), offer);
  expect(await lookupSettlement(payments, payment, { offer })).toEqual({ status: 'unused' });
  const settled = await settlePayment(payments, payment, offer);
  expect(settled.status).toBe('settled');
  expect(await lookupSettlement(payments, payment, { offer })).toEqual({
    status: 'settled',
    transaction: 'transaction' in settled ? settled.transaction : '',
  });
});

test('a payment that a stranger sent some blocks ago is found', async () => {
  const offer = makePayee();
  const payment = await pay(await makePayer(), offer);
  const transaction = await sendByStranger(encodeTransfer(payment));
  await chain.client.mine({ blocks: 20 });
  expect(await lookupSettlement(payments, payment, { offer })).toEqual({ status: 'settled', transaction });
});

test('a payment whose nonce went to another payee is expired', async () => {
  const payer = await makePayer();
  const [offer, other] = [makePayee(), makePayee()];
  const payment = await pay(payer, offer);
  await sendByStranger(encodeTransfer(await pay(payer, other, { nonce: payment.uniquenessKey })));
  expect(await lookupSettlement(payments, payment, { offer })).toEqual({
    status: 'expired',
    reason: 'authorization_expired',
  });
});

test('a payment that its payer cancelled is expired', async () => {
  const payer = await makePayer();
  const offer = makePayee();
  const payment = await pay(payer, offer);
  const signature = await payer.signTypedData({
    domain: { ...offer.extra, chainId: 84532, verifyingContract: offer.asset as Hex },
    types: {
      CancelAuthorization: [
        { name: 'authorizer', type: 'address' },
        { name: 'nonce', type: 'bytes32' },
      ],
    },
    primaryType: 'CancelAuthorization',
    message: { authorizer: payer.address, nonce: payment.uniquenessKey as Hex },
  });
  const [r, s, v] = [signature.slice(2, 66), signature.slice(66, 130), signature.slice(130).padStart(64, '0')];
  const words = payment.payer.slice(2).padStart(64, '0') + payment.uniquenessKey.slice(2) + v + r + s;
  await sendByStranger(`0x5a049a70${words}`);
  expect(await lookupSettlement(payments, payment, { offer })).toEqual({
    status: 'expired',
    reason: 'authorization_expired',
  });
});

test('an unused payment is expired half a minute after its end, and not before', async () => {
  const offer = makePayee();
  const payment = await pay(await makePayer(), offer);
  const end = payment.expiresAt;
  const at = async (seconds: number) => {
    const later = await open({ clock: { now: () => seconds * 1000 } });
    return lookupSettlement(later, payment, { offer });
  };
  expect(await at(end - 1)).toEqual({ status: 'unused' });
  expect(await at(end + 29)).toEqual({ status: 'unused' });
  expect(await at(end + 30)).toEqual({ status: 'expired', reason: 'authorization_expired' });
});

test('an authorisation without an end never expires', async () => {
  const offer = makePayee();
  const payment = await pay(await makePayer(), offer, { validBefore: (2n ** 256n - 1n).toString() });
  expect(await lookupSettlement(payments, payment, { offer })).toEqual({ status: 'unused' });
});

test('a look-up is unknown when the chain does not answer', async () => {
  const rpc = await startFaultyRpc(chain.current.rpcUrl);
  rpc.plan(() => 'drop before');
  const broken = await open({ rpcUrl: rpc.url });
  const offer = makePayee();
  const payment: Payment = await pay(makeAccount(), offer);
  expect(await lookupSettlement(broken, payment, { offer })).toEqual({ status: 'unknown' });
  expect(await lookupSettlement(broken, payment, { offer: { ...offer, network: 'eip155:8453' } })).toEqual({
    status: 'unknown',
  });
  await rpc.close();
});

test('a look-up is unknown when the endpoint cannot search, and it is not asked for ever narrower ranges', async () => {
  const offer = makePayee();
  const payment = await pay(await makePayer(), offer);
  await sendByStranger(encodeTransfer(payment));
  const rpc = await startFaultyRpc(chain.current.rpcUrl);
  rpc.plan((methods) => (methods.includes('eth_getLogs') ? 'error before' : null));
  const broken = await open({ rpcUrl: rpc.url });
  expect(await lookupSettlement(broken, payment, { offer })).toEqual({ status: 'unknown' });
  expect(rpc.seen.filter((method) => method === 'eth_getLogs')).toHaveLength(1);
  await rpc.close();
});

test('an endpoint that refuses wide ranges is asked for narrow ones', async () => {
  const offer = makePayee();
  const payment = await pay(await makePayer(), offer);
  const transaction = await sendByStranger(encodeTransfer(payment));
  await chain.client.mine({ blocks: 300 });
  const rpc = await startFaultyRpc(chain.current.rpcUrl);
  let refusals = 2;
  rpc.plan((methods) => (methods.includes('eth_getLogs') && refusals-- > 0 ? 'too wide before' : null));
  const narrow = await open({ rpcUrl: rpc.url });
  expect(await lookupSettlement(narrow, payment, { offer })).toEqual({ status: 'settled', transaction });
  expect(rpc.seen.filter((method) => method === 'eth_getLogs').length).toBeGreaterThan(3);
  await rpc.close();
});
