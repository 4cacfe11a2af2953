import { randomBytes } from 'node:crypto';
import { ExactEvmScheme } from '@x402/evm/exact/client';
import { wrapFetchWithPayment, x402Client } from '@x402/fetch';
import { createPublicClient, decodeFunctionData, erc20Abi, http, parseAbi, type Hex } from 'viem';
import { expect } from 'vitest';
import { encodeHeader, SANDBOX_NETWORK } from './pay.ts';
import { send, type Answered } from './paid-request.ts';
import type { App } from './start-app.ts';
import type { TestChain } from './test-chain.ts';

const settlementAbi = parseAbi([
  'function transferWithAuthorization(address from, address to, uint256 value, uint256 validAfter, uint256 validBefore, bytes32 nonce, uint8 v, bytes32 r, bytes32 s)',
  'function transferWithAuthorization(address from, address to, uint256 value, uint256 validAfter, uint256 validBefore, bytes32 nonce, bytes signature)',
]);

interface Seen {
  /** X-PAYMENT and PAYMENT-SIGNATURE as anybody can make them of the transaction. */
  v1: string;
  v2: string;
}

/** What a stranger makes of the newest transfer of a wallet: the payment, from the call data of its transaction. */
export function readPaymentFromChain(app: App, payer: string): Promise<Seen> {
  return rebuildPayment(app.sandbox?.chain ?? null, payer);
}

/** The same on a chain that no app has started. */
export async function rebuildPayment(
  chain: Pick<TestChain['current'], 'rpcUrl' | 'token'> | null,
  payer: string,
): Promise<Seen> {
  const client = createPublicClient({ transport: http(chain?.rpcUrl ?? '') });
  const address = chain?.token.address ?? '0x';
  const logs = await client.getContractEvents({
    address,
    abi: erc20Abi,
    eventName: 'Transfer',
    args: { from: payer as Hex },
    fromBlock: 0n,
  });
  const hash = logs.at(-1)?.transactionHash ?? '0x';
  const { input } = await client.getTransaction({ hash });
  const { args } = decodeFunctionData({ abi: settlementAbi, data: input });
  const [from, to, value, validAfter, validBefore, nonce, ...signed] = args;
  const signature = signed.length === 1 ? signed[0] : toSignature(signed);
  const authorization = {
    from,
    to,
    value: value.toString(),
    validAfter: validAfter.toString(),
    validBefore: validBefore.toString(),
    nonce,
  };
  expect(from.toLowerCase()).toBe(payer.toLowerCase());
  const payload = { signature, authorization };
  const accepted = {
    scheme: 'exact',
    network: SANDBOX_NETWORK,
    amount: authorization.value,
    asset: address,
    payTo: to,
    maxTimeoutSeconds: 180,
    extra: { name: 'USDC', version: '2' },
  };
  return {
    v1: encodeHeader({ x402Version: 1, scheme: 'exact', network: 'base-sepolia', payload }),
    v2: encodeHeader({ x402Version: 2, accepted, payload }),
  };
}

function toSignature([v, r, s]: readonly [number, Hex, Hex]): string {
  return `${r}${s.slice(2)}${v.toString(16)}`;
}

/** How often a stranger tries. */
const TRIES = 20;

export interface Told extends Answered {
  transaction: string;
}

/**
 * Sells answers by the official client at `url`, and has a stranger, who knows the URL, the body and the chain, ask for each
 * at `ask`. `told`: what was answered to the stranger; `stolen`: the answers that held what the buyer had bought.
 */
export async function stealAnswers(
  app: App,
  at: { url: string; ask: string },
): Promise<{ stolen: Told[]; told: Told[] }> {
  const told: Told[] = [];
  const stolen: Told[] = [];
  for (let index = 0; index < TRIES; index += 1) {
    const buyer = await app.makeBuyer();
    const client = new x402Client().register('eip155:*', new ExactEvmScheme(buyer));
    const body = { topic: `number ${index} of ${randomBytes(6).toString('hex')}` };
    const bought = await wrapFetchWithPayment(fetch, client)(at.url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect(bought.status).toBe(200);
    const { response, receipt } = (await bought.json()) as { response: string; receipt: { transaction: string } };
    const seen = await readPaymentFromChain(app, buyer.address);
    const answer = await (index % 2 === 0
      ? send(at.ask, { payment: seen.v2, body })
      : send(at.ask, { headers: { 'X-PAYMENT': seen.v1 }, body }));
    const one = { ...answer, transaction: receipt.transaction };
    told.push(one);
    if (JSON.stringify(answer.body).includes(JSON.stringify(response).slice(1, -1))) {
      stolen.push(one);
    }
  }
  return { stolen, told };
}
