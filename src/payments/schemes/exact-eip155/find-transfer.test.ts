import { describe, expect, test } from 'vitest';
import { makeAccount, makeOffer, pay, SANDBOX_NETWORK } from '../../../../tests/support/pay.ts';
import type { Offer } from '../../offer.ts';
import type { Payment } from '../../payment.ts';
import { findBlockBefore } from '../../settlers/eip155/find-block.ts';
import { findTransfer } from './find-transfer.ts';
import { RpcError, type JsonRpc } from '../../settlers/eip155/json-rpc.ts';
import { addressTopic } from '../../settlers/eip155/logs.ts';
import { eip155Networks } from '../../networks.ts';
import { topics } from './transfers.ts';

const HEAD = 3_000_000;
const SECONDS_PER_BLOCK = 2;
const GENESIS = 1_700_000_000;
const HASH = `0x${'ab'.repeat(32)}`;
const timeOf = (block: number): number => GENESIS + block * SECONDS_PER_BLOCK;

interface Range {
  fromBlock: string;
  toBlock: string;
}

/** A chain too long to be mined in a test, with one transfer in it; `asked` notes the ranges that are searched. */
function openLongChain(used: { payment: Payment; offer: Offer; block: number }, widest = Infinity) {
  const asked: [number, number][] = [];
  const { payment, offer, block } = used;
  const log = (index: number, logTopics: string[], data: string) => ({
    address: offer.asset,
    transactionHash: HASH,
    blockNumber: `0x${block.toString(16)}`,
    logIndex: `0x${index.toString(16)}`,
    topics: logTopics,
    data,
  });
  const logs = [
    log(0, [topics.used, addressTopic(payment.payer), payment.uniquenessKey], '0x'),
    log(
      1,
      [topics.transfer, addressTopic(payment.payer), addressTopic(offer.payTo)],
      `0x${offer.amountAtomic.toString(16).padStart(64, '0')}`,
    ),
  ];
  const search = ({ fromBlock, toBlock }: Range) => {
    const [from, to] = [Number(fromBlock), Number(toBlock)];
    asked.push([from, to]);
    if (to - from >= widest) {
      throw new RpcError(-32602, `query exceeds max block range ${widest}`, null);
    }
    return from <= block && block <= to ? logs.slice(0, 1) : [];
  };
  const answers: Record<string, (first: unknown) => unknown> = {
    eth_blockNumber: () => `0x${HEAD.toString(16)}`,
    eth_getBlockByNumber: (number) => ({ timestamp: `0x${timeOf(Number(number)).toString(16)}` }),
    eth_getLogs: (range) => search(range as Range),
    eth_getTransactionReceipt: () => ({ logs }),
  };
  const rpc: JsonRpc = { call: async (method, [first]) => answers[method]?.(first), close: async () => {} };
  const network = eip155Networks[SANDBOX_NETWORK];
  if (!network) {
    throw new Error(`${SANDBOX_NETWORK} is not among the networks.`);
  }
  return { chain: { rpc, network }, rpc, asked };
}

async function payAt(block: number) {
  const offer = makeOffer();
  return { payment: await pay(makeAccount(), offer), offer, block };
}

const found = { kind: 'transferred', transaction: HASH };

describe('the transfer of a payment is searched for as far back as its call', () => {
  test.each([10, 5_000, 70_000, 400_000])('a transfer %i blocks ago', async (age) => {
    const used = await payAt(HEAD - age);
    const { chain } = openLongChain(used);
    const sinceMs = timeOf(used.block) * 1000 - 60_000;
    expect(await findTransfer(chain, used.payment, { offer: used.offer, sinceMs })).toEqual(found);
  });

  test('and no further: an older use of the nonce is not found', async () => {
    const used = await payAt(HEAD - 100_000);
    const { chain, asked } = openLongChain(used);
    const sinceMs = timeOf(HEAD - 20_000) * 1000;
    expect(await findTransfer(chain, used.payment, { offer: used.offer, sinceMs })).toEqual({ kind: 'not_found' });
    expect(Math.min(...asked.map(([from]) => from))).toBeGreaterThan(HEAD - 23_000);
  });

  test('in every block in between, however narrow the ranges that the endpoint serves', async () => {
    const used = await payAt(HEAD - 3_000);
    const { chain, asked } = openLongChain(used, 90);
    const sinceMs = timeOf(used.block) * 1000 - 60_000;
    expect(await findTransfer(chain, used.payment, { offer: used.offer, sinceMs })).toEqual(found);
    const served = asked.filter(([from, to]) => to - from < 90);
    expect(served.slice(1).every(([, to], index) => to === (served[index]?.[0] ?? 0) - 1)).toBe(true);
  });
});

test('a search that the endpoint refuses is an error, not "not found"', async () => {
  const used = await payAt(HEAD - 10);
  const { chain, rpc } = openLongChain(used);
  for (const message of ['internal error', 'rate limit exceeded', 'the method eth_getLogs does not exist']) {
    const broken: JsonRpc = {
      ...rpc,
      call: async (method, params) => {
        if (method === 'eth_getLogs') {
          throw new RpcError(-32000, message, null);
        }
        return rpc.call(method, params);
      },
    };
    await expect(findTransfer({ ...chain, rpc: broken }, used.payment, { offer: used.offer })).rejects.toThrow(message);
  }
});

test('the block of a time is found in a few questions, on the old side', async () => {
  const { rpc } = openLongChain(await payAt(1));
  let questions = 0;
  const counting: JsonRpc = {
    ...rpc,
    call: (method, params) => {
      questions += 1;
      return rpc.call(method, params);
    },
  };
  for (const wanted of [0, 1, 999, 1_234_567, HEAD - 1, HEAD]) {
    questions = 0;
    const block = await findBlockBefore(counting, HEAD, { timestampSeconds: timeOf(wanted) });
    expect(block).toBeLessThanOrEqual(wanted);
    expect(block).toBeGreaterThan(wanted - 1001);
    expect(questions).toBeLessThan(30);
  }
  expect(await findBlockBefore(rpc, HEAD, { timestampSeconds: 0 })).toBe(0);
});
