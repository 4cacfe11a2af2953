import { expect, test } from 'vitest';
import { raiseFees, readFees, type Fees } from './fees.ts';

const GWEI = 1_000_000_000n;
const network = { ceilings: { tipGwei: 2n, feeGwei: 50n } };

function nodeSaying(baseFee: bigint, tip: bigint) {
  const answers: Record<string, unknown> = {
    eth_getBlockByNumber: { baseFeePerGas: `0x${baseFee.toString(16)}` },
    eth_maxPriorityFeePerGas: `0x${tip.toString(16)}`,
  };
  return { call: (method: string) => Promise.resolve(answers[method]), close: () => Promise.resolve() };
}

test('a settlement bids twice the base fee and the tip', async () => {
  expect(await readFees({ rpc: nodeSaying(3n * GWEI, GWEI), network })).toEqual({
    maxPriorityFeePerGas: GWEI,
    maxFeePerGas: 7n * GWEI,
  });
});

test('the fees that a node suggests are cut to the network’s ceilings', async () => {
  expect(await readFees({ rpc: nodeSaying(3n * GWEI, 10n ** 30n), network })).toEqual({
    maxPriorityFeePerGas: 2n * GWEI,
    maxFeePerGas: 8n * GWEI,
  });
  expect(await readFees({ rpc: nodeSaying(10n ** 30n, GWEI), network })).toEqual({
    maxPriorityFeePerGas: GWEI,
    maxFeePerGas: 50n * GWEI,
  });
});

function raiseToTheEnd(first: Fees): Fees {
  let fees = first;
  for (let raised: Fees | null = first; raised; raised = raiseFees(fees, { first, network })) {
    fees = raised;
  }
  return fees;
}

test('fees are raised to ten times the first fee', () => {
  const { maxFeePerGas } = raiseToTheEnd({ maxPriorityFeePerGas: 1n, maxFeePerGas: GWEI });
  expect(maxFeePerGas).toBeGreaterThan(8n * GWEI);
  expect(maxFeePerGas).toBeLessThanOrEqual(10n * GWEI);
});

test('fees are raised to the ceiling of the network and no further', () => {
  const last = raiseToTheEnd({ maxPriorityFeePerGas: GWEI, maxFeePerGas: 20n * GWEI });
  expect(last.maxFeePerGas).toBeGreaterThan(40n * GWEI);
  expect(last.maxFeePerGas).toBeLessThanOrEqual(50n * GWEI);
  expect(last.maxPriorityFeePerGas).toBeLessThanOrEqual(last.maxFeePerGas);
});
