import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { eip3009ABI } from '@x402/evm';
import {
  createPublicClient,
  encodeFunctionData,
  encodeFunctionResult,
  http,
  multicall3Abi,
  parseSignature,
  type Hex,
} from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { systemClock } from '#kit/index.ts';
import { exactEip155, type Offer, type Payment } from '#payments/index.ts';
import { inspect } from '../src/payments/schemes/exact-eip155/inspect.ts';
import { payloadOf } from '../src/payments/schemes/exact-eip155/payload.ts';
import { MULTICALL3 } from '../src/payments/settlers/eip155/call-data.ts';
import { eip155 } from '../src/payments/settlers/eip155/chain.ts';
import { signTransaction, toSigningKey } from '../src/payments/settlers/eip155/sign-transaction.ts';
import { compare } from './compare.ts';
import { makeWallet, NETWORK, offerOf, signPayment, toPrivateKey } from './sign-payments.ts';
import { toSide } from './to-side.ts';

const PAYMENTS = 200;
/** Payments that are verified in the same moment. */
const TOGETHER = 20;

/** What a settlement costs beside the network: encode the transfer, sign the transaction, ask the chain about a batch. */
export async function measureTransactions(): Promise<void> {
  const offer = offerOf('0x00000000000000000000000000000000000fA7ee', 10_000n);
  const payments = Array.from({ length: PAYMENTS }, () => signPayment(makeWallet(), offer).payment);
  await measureEncoding(payments, offer);
  await measureSigning(payments, offer);
  await measureReading(payments.slice(0, TOGETHER));
}

async function measureEncoding(payments: readonly Payment[], offer: Offer): Promise<void> {
  const expected = payments.map((payment) => exactEip155.settleCall(payment, offer).data.length);
  await compare({
    title: 'Call data of a transfer (transferWithAuthorization)',
    unit: 'transfers',
    rounds: 7,
    ours: toSide('Farebox, payments', (index) => {
      const payment = payments[index % PAYMENTS];
      return payment !== undefined && exactEip155.settleCall(payment, offer).data.length === expected[0];
    }),
    theirs: toSide('viem, encodeFunctionData', (index) => {
      const payment = payments[index % PAYMENTS];
      return payment !== undefined && encodeWithViem(payment).length === expected[0];
    }),
  });
}

async function measureSigning(payments: readonly Payment[], offer: Offer): Promise<void> {
  const privateKey = toPrivateKey(makeWallet());
  const key = toSigningKey(privateKey);
  const account = privateKeyToAccount(privateKey);
  const calls = payments.map((payment) => exactEip155.settleCall(payment, offer));
  const fees = { maxPriorityFeePerGas: 1_000_000n, maxFeePerGas: 2_000_000n };
  await compare({
    title: 'A signed transaction (EIP-1559) with its hash',
    unit: 'transactions',
    rounds: 7,
    ours: toSide('Farebox, payments', (nonce) => {
      const { to = '', data = '' } = calls[nonce % PAYMENTS] ?? {};
      return signTransaction(key, { chainId: 84532, nonce, ...fees, gasLimit: 200_000n, to, data }).raw.length > 100;
    }),
    theirs: toSide('viem, account.signTransaction', async (nonce) => {
      const { to, data } = calls[nonce % PAYMENTS] ?? {};
      const fields = { type: 'eip1559', chainId: 84532, nonce, ...fees, gas: 200_000n } as const;
      return (await account.signTransaction({ ...fields, to: to as Hex, data: data as Hex })).length > 100;
    }),
  });
}

/** Both sides ask one server, which gives them the same prepared answer, about the same payments in one eth_call. */
async function measureReading(payments: readonly Payment[]): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const nothing: Hex = '0x';
  const word = (value: bigint): Hex => `0x${value.toString(16).padStart(64, '0')}`;
  const results = payments.flatMap(() => [
    { success: true, returnData: word(0n) },
    { success: true, returnData: word(1_000_000n) },
    { success: true, returnData: nothing },
  ]);
  const rpcUrl = await serve(
    encodeFunctionResult({ abi: multicall3Abi, functionName: 'aggregate3', result: results }),
    stack,
  );
  const chain = eip155.openChain({ network: NETWORK, rpcUrl, clock: systemClock });
  stack.defer(() => chain.close());
  const client = createPublicClient({ transport: http(rpcUrl) });
  const contracts = payments.flatMap(toContracts);
  await compare({
    title: `Used nonce, balance and simulated transfer of ${TOGETHER} payments by one eth_call`,
    unit: 'reads',
    rounds: 7,
    ours: toSide('Farebox, payments', async () => {
      const states = await Promise.all(payments.map((payment) => inspect(chain, payment)));
      return states.every((state) => state.balanceAtomic === 1_000_000n && state.revert === null);
    }),
    theirs: toSide('viem, multicall', async () => {
      const read = await client.multicall({ contracts, multicallAddress: MULTICALL3, batchSize: 1_000_000 });
      return read.length === results.length && String(read[1]?.result) === '1000000';
    }),
  });
}

function toContracts(payment: Payment) {
  const address = payment.asset as Hex;
  const abi = eip3009ABI;
  return [
    { address, abi: stateAbi, functionName: 'authorizationState', args: [payment.payer, payment.uniquenessKey] },
    { address, abi: stateAbi, functionName: 'balanceOf', args: [payment.payer] },
    { address, abi, functionName: 'transferWithAuthorization', args: toArguments(payment) },
  ];
}

const stateAbi = [
  {
    type: 'function',
    name: 'authorizationState',
    stateMutability: 'view',
    inputs: [{ type: 'address' }, { type: 'bytes32' }],
    outputs: [{ type: 'bool' }],
  },
  {
    type: 'function',
    name: 'balanceOf',
    stateMutability: 'view',
    inputs: [{ type: 'address' }],
    outputs: [{ type: 'uint256' }],
  },
] as const;

function encodeWithViem(payment: Payment): Hex {
  return encodeFunctionData({
    abi: eip3009ABI,
    functionName: 'transferWithAuthorization',
    args: toArguments(payment),
  });
}

function toArguments(payment: Payment) {
  const { authorization, signature } = payloadOf(payment);
  const { from, to, value, validAfter, validBefore, nonce } = authorization;
  const { r, s, yParity } = parseSignature(signature as Hex);
  const amounts = [BigInt(value), BigInt(validAfter), BigInt(validBefore)] as const;
  return [from as Hex, to as Hex, ...amounts, nonce as Hex, 27 + yParity, r, s] as const;
}

async function serve(aggregated: Hex, stack: AsyncDisposableStack): Promise<string> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const { id, method } = JSON.parse(body) as { id: number; method: string };
      const result = method === 'eth_call' ? aggregated : '0x01';
      response.end(JSON.stringify({ jsonrpc: '2.0', id, result }));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  stack.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
