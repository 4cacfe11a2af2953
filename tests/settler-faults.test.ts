import { parseEther, type Hex } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startFaultyRpc, type Fault, type FaultyRpc } from './support/faulty-rpc.ts';
import { openTestSettler } from './support/open-test-settler.ts';
import { makeAccount, makeOffer, pay } from './support/pay.ts';
import { useTestChain } from './support/test-chain.ts';
import type { Offer } from '../src/payments/offer.ts';
import type { Payment } from '../src/payments/payment.ts';
import { findTransfer } from '../src/payments/schemes/exact-eip155/find-transfer.ts';
import { topics } from '../src/payments/schemes/exact-eip155/transfers.ts';

const chain = useTestChain();
const opened: { close(): Promise<void> }[] = [];
let rpc: FaultyRpc;

beforeEach(async () => {
  rpc = await startFaultyRpc(chain.current.rpcUrl);
});

afterEach(async () => {
  await chain.client.setAutomine(true);
  await chain.client.mine({ blocks: 1 });
  await Promise.all(opened.splice(0).map((settler) => settler.close()));
  await rpc.close();
});

async function open(options: Parameters<typeof openTestSettler>[1] = {}) {
  const settler = await openTestSettler(chain, { rpcUrl: rpc.url, ...options });
  opened.push(settler);
  return settler;
}

const makePayee = () => makeOffer({ payTo: makeAccount().address });
const balanceOf = (address: string) => chain.current.balanceAtomic(address as Hex);

async function makePayments(count: number, offer: Offer): Promise<Payment[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const account = makeAccount();
      await chain.current.faucet.send(account.address);
      return pay(account, offer);
    }),
  );
}

/** The fault happens to the first `times` requests that hold the method. */
function failFirst(method: string, fault: Fault, times: number): void {
  let left = times;
  rpc.plan((methods) => {
    if (!methods.includes(method) || left === 0) {
      return null;
    }
    left -= 1;
    return fault;
  });
}

const faults: Fault[] = [
  'drop before',
  'drop after',
  'hang before',
  'hang after',
  'error before',
  'error after',
  'http 500 after',
  'garbage after',
  'twice',
  'reorder',
];

describe('the transaction is on its way', () => {
  test.each(faults)('sending a transaction meets "%s": settled once', async (fault) => {
    failFirst('eth_sendRawTransaction', fault, 2);
    const { settler } = await open();
    const offer = makePayee();
    const payments = await makePayments(5, offer);
    const outcomes = await Promise.all(payments.map((payment) => settler.settle(payment, offer)));
    expect(outcomes.map((outcome) => outcome.status)).toEqual(payments.map(() => 'settled'));
    expect(await balanceOf(offer.payTo)).toBe(50_000n);
  });

  test.each(faults)('asking for the receipt of a transaction meets "%s": settled once', async (fault) => {
    failFirst('eth_getTransactionReceipt', fault, 3);
    const { settler } = await open();
    const offer = makePayee();
    const payments = await makePayments(3, offer);
    const outcomes = await Promise.all(payments.map((payment) => settler.settle(payment, offer)));
    expect(outcomes.map((outcome) => outcome.status)).toEqual(payments.map(() => 'settled'));
    expect(await balanceOf(offer.payTo)).toBe(30_000n);
  });

  test.each(faults.filter((fault) => fault !== 'twice' && fault !== 'reorder'))(
    'every call after a transaction was sent meets "%s": unknown, and the chain knows',
    async (fault) => {
      let isSent = false;
      rpc.plan((methods) => {
        const isAfter = isSent;
        isSent ||= methods.includes('eth_sendRawTransaction');
        return isAfter ? fault : null;
      });
      const { settler, chain: seen } = await open({ timing: { answerMs: 400 } });
      const offer = makePayee();
      const [payment] = await makePayments(1, offer);
      const outcome = payment && (await settler.settle(payment, offer));
      expect(outcome).toEqual({ status: 'unknown', reason: 'settlement_pending' });
      rpc.plan(() => null);
      expect(payment && (await findTransfer(seen, payment, { offer })).kind).toBe('transferred');
      expect(payment && (await settler.settle(payment, offer)).status).toBe('settled');
      expect(await balanceOf(offer.payTo)).toBe(10_000n);
    },
  );
});

describe('before anything was sent', () => {
  test.each(['drop before', 'hang before', 'error before', 'http 500 after'] as const)(
    'simulating a settlement meets "%s" for good: unavailable, nothing moved',
    async (fault) => {
      rpc.plan((methods) => (methods.includes('eth_call') ? fault : null));
      const { settler } = await open();
      const offer = makePayee();
      const [payment] = await makePayments(1, offer);
      expect(payment && (await settler.settle(payment, offer)).status).toBe('unavailable');
      expect(rpc.seen).not.toContain('eth_sendRawTransaction');
      expect(await balanceOf(offer.payTo)).toBe(0n);
    },
  );

  test('a settlement that waits too long behind others is told that nothing was sent, and nothing is sent later', async () => {
    await chain.client.setAutomine(false);
    const { settler } = await open({ timing: { answerMs: 150, replaceAfterMs: 10_000 } });
    const [offer, later] = [makePayee(), makePayee()];
    await chain.client.setAutomine(true);
    const [first] = await makePayments(1, offer);
    const [second] = await makePayments(1, later);
    await chain.client.setAutomine(false);
    const sent = first && settler.settle(first, offer);
    await expect.poll(() => rpc.seen).toContain('eth_sendRawTransaction');
    expect(second && (await settler.settle(second, later))).toEqual({ status: 'unavailable', reason: 'settler_busy' });
    expect((await sent)?.status).toBe('unknown');
    await chain.client.setAutomine(true);
    await chain.client.mine({ blocks: 1 });
    expect(first && (await settler.settle(first, offer)).status).toBe('settled');
    expect(await balanceOf(later.payTo)).toBe(0n);
  });
});

describe('blocks are slow', () => {
  test('the fees of a settlement are raised until the transaction is mined; it is settled once', async () => {
    const { settler } = await open();
    const offer = makePayee();
    const payments = await makePayments(3, offer);
    await chain.client.setAutomine(false);
    const outcomes = Promise.all(payments.map((payment) => settler.settle(payment, offer)));
    await expect.poll(() => new Set(rpc.seen.filter((method) => method === 'eth_sendRawTransaction')).size).toBe(1);
    await expect.poll(() => rpc.seen.filter((method) => method === 'eth_sendRawTransaction').length).toBeGreaterThan(8);
    await chain.client.mine({ blocks: 1 });
    expect((await outcomes).map((outcome) => outcome.status)).toEqual(['settled', 'settled', 'settled']);
    expect(await balanceOf(offer.payTo)).toBe(30_000n);
  });

  test('the fees of a settlement are not raised while nobody can say whether the transaction is mined', async () => {
    const raw = new Set<string>();
    rpc.alter((body) => {
      /eth_sendRawTransaction.*?(0x[0-9a-f]+)/
        .exec(body)
        ?.slice(1, 2)
        .forEach((text) => raw.add(text));
      return body;
    });
    rpc.plan((methods) => (methods.includes('eth_getTransactionReceipt') ? 'error before' : null));
    const { settler } = await open({ timing: { answerMs: 1000 } });
    const offer = makePayee();
    const [payment] = await makePayments(1, offer);
    await chain.client.setAutomine(false);
    expect(payment && (await settler.settle(payment, offer)).status).toBe('unknown');
    expect(rpc.seen.filter((method) => method === 'eth_sendRawTransaction').length).toBeGreaterThan(4);
    expect(raw.size).toBe(1);
  });

  test('a transaction left behind by an earlier run does not hold up later settlements', async () => {
    const key = generatePrivateKey();
    const account = privateKeyToAccount(key);
    const { settler } = await open({ privateKeys: [key] });
    const offer = makePayee();
    const payments = await makePayments(2, offer);
    await chain.client.setAutomine(false);
    await chain.client.sendTransaction({ account, to: account.address, value: 1n, gas: 21_000n });
    const outcomes = Promise.all(payments.map((payment) => settler.settle(payment, offer)));
    await expect.poll(() => rpc.seen).toContain('eth_sendRawTransaction');
    await chain.client.mine({ blocks: 1 });
    expect((await outcomes).map((outcome) => outcome.status)).toEqual(['settled', 'settled']);
    await chain.client.setAutomine(true);
    expect(await balanceOf(offer.payTo)).toBe(20_000n);
  });
});

test('a gap of nonces that a dropped transaction left is filled', async () => {
  const key = generatePrivateKey();
  const account = privateKeyToAccount(key);
  const { settler } = await open({ privateKeys: [key] });
  const offer = makePayee();
  const [payment] = await makePayments(1, offer);
  await chain.client.setAutomine(false);
  const hash = await chain.client.sendTransaction({ account, to: account.address, value: 1n, gas: 21_000n });
  const outcome = payment && settler.settle(payment, offer);
  await expect.poll(() => rpc.seen).toContain('eth_sendRawTransaction');
  await chain.client.dropTransaction({ hash });
  await chain.client.mine({ blocks: 1 });
  expect(await balanceOf(offer.payTo)).toBe(0n);
  await chain.client.setAutomine(true);
  expect((await outcome)?.status).toBe('settled');
});

describe('two settlers hold the same key', () => {
  test.each([true, false])(
    'two settlers with one key (automine %s): every payment settles once, none is refused',
    async (hasAutomine) => {
      const key = generatePrivateKey();
      await chain.current.fund(privateKeyToAccount(key).address, parseEther('10'));
      const [one, other] = [await open({ privateKeys: [key] }), await open({ privateKeys: [key] })];
      const offer = makePayee();
      const payments = await makePayments(16, offer);
      await chain.client.setAutomine(hasAutomine);
      const mining = hasAutomine ? null : setInterval(() => void chain.client.mine({ blocks: 1 }), 50);
      const outcomes = await Promise.all(
        payments.map((payment, index) => (index % 2 ? one : other).settler.settle(payment, offer)),
      );
      clearInterval(mining ?? undefined);
      expect(outcomes.map((outcome) => outcome.status)).toEqual(payments.map(() => 'settled'));
      expect(await balanceOf(offer.payTo)).toBe(160_000n);
    },
  );

  test('two settlers with one key that settle the same payments both report the one transfer', async () => {
    const key = generatePrivateKey();
    const [one, other] = [await open({ privateKeys: [key] }), await open({ privateKeys: [key] })];
    const offer = makePayee();
    const payments = await makePayments(6, offer);
    const outcomes = await Promise.all(
      payments.map((payment) =>
        Promise.all([one.settler.settle(payment, offer), other.settler.settle(payment, offer)]),
      ),
    );
    for (const [first, second] of outcomes) {
      expect(first).toMatchObject({ status: 'settled' });
      expect(second).toEqual(first);
    }
    expect(await balanceOf(offer.payTo)).toBe(60_000n);
  });
});

test('settlement while a fifth of all requests to the chain fails: nobody pays twice and nobody who paid is refused', async () => {
  let state = 12_345;
  const random = () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
  rpc.plan(() => (random() < 0.2 ? (faults[Math.floor(random() * faults.length)] ?? null) : null));
  const { settler } = await open({ senders: 3, timing: { answerMs: 8000 } });
  const offer = makePayee();
  const payments = await makePayments(40, offer);
  const outcomes = await Promise.all(payments.map((payment) => settler.settle(payment, offer)));
  const logs = await chain.client.getLogs({ fromBlock: 0n, address: offer.asset as Hex });
  const used = logs.filter((log) => log.topics[0] === topics.used).map((log) => log.topics[2]);
  expect(new Set(used).size).toBe(used.length);
  const settled = outcomes.flatMap((outcome, index) =>
    outcome.status === 'settled' ? [payments[index]?.uniquenessKey] : [],
  );
  expect(used).toEqual(expect.arrayContaining(settled));
  expect(outcomes.map((outcome) => outcome.status)).not.toContain('refused');
  expect(outcomes.filter((outcome) => outcome.status === 'settled').length).toBeGreaterThan(20);
});
