import { wrapFetchWithPayment, x402Client, decodePaymentResponseHeader } from '@x402/fetch';
import { ExactEvmScheme } from '@x402/evm/exact/client';
import { createPublicClient, erc20Abi, formatUnits, http, type Hex, type PublicClient } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { showWaiting, type Screen } from './show-waiting.ts';

interface DemoOptions {
  serverUrl: string;
  screen: Screen;
}

interface Sandbox {
  chainId: number;
  network: string;
  rpcUrl: string;
  asset: { address: Hex; decimals: number };
}

const PATH = '/@demo/haiku';
const INPUT = { topic: 'a quiet harbour' };

/** The first paid call, from an empty wallet to the receipt, with the unmodified official client. */
export async function demo(options: DemoOptions): Promise<void> {
  const { screen, serverUrl } = options;
  const { print } = screen;
  const sandbox = await getSandbox(serverUrl);
  const account = privateKeyToAccount(generatePrivateKey());
  print(`1. Wallet       ${account.address} (made now, empty)`);
  const filling = postJson(`${serverUrl}/sandbox/faucet`, { address: account.address });
  const funded = await showWaiting(screen, 'waiting for the faucet', filling);
  print(`2. Faucet       10 test USDC, transaction ${String(funded['transaction'])}`);

  const url = `${serverUrl}${PATH}`;
  const challenge = await readChallenge(url);
  const offer = challenge.accepts[0];
  if (!offer) {
    throw new Error(`${url} made no offer.`);
  }
  print(`3. Challenge    402 from ${url}`);
  print(`                ${formatUnits(BigInt(offer.amount), 6)} USDC on ${offer.network} to ${offer.payTo}`);

  const chain = createPublicClient({ transport: http(sandbox.rpcUrl) });
  const parties = { asset: sandbox.asset.address, buyer: account.address, creator: offer.payTo };
  const before = await readBalances(chain, parties);

  const client = new x402Client().register('eip155:*', new ExactEvmScheme(account));
  client.onAfterPaymentCreation(async ({ paymentPayload }) => {
    const { signature } = paymentPayload.payload as { signature?: string };
    print(`4. Signature    EIP-3009 authorisation ${signature?.slice(0, 22)}… (no gas, no transaction by the buyer)`);
  });
  const calling = wrapFetchWithPayment(fetch, client)(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(INPUT),
  });
  const response = await showWaiting(screen, 'waiting for the answer; the model is at work', calling);
  const body = (await response.json()) as Record<string, unknown>;
  if (!response.ok) {
    throw new Error(`The call failed with ${response.status}: ${String(body['detail'] ?? body['error'])}`);
  }
  print(`5. Answer       ${response.status}${body['simulated'] ? ' (simulated model)' : ''}`);
  print(indent(String(body['response'])));
  print(`6. Receipt      ${indent(JSON.stringify(body['receipt'], null, 2)).trimStart()}`);

  const settled = decodePaymentResponseHeader(response.headers.get('PAYMENT-RESPONSE') ?? '');
  const mined = await chain.getTransactionReceipt({ hash: settled.transaction as Hex });
  print(`7. Transaction  ${mined.transactionHash} ${mined.status} in block ${mined.blockNumber}`);
  const after = await readBalances(chain, parties);
  print(`8. Balances     buyer   ${formatUnits(before.buyer, 6)} -> ${formatUnits(after.buyer, 6)} USDC`);
  print(`                creator ${formatUnits(before.creator, 6)} -> ${formatUnits(after.creator, 6)} USDC`);
  if (before.buyer - after.buyer !== BigInt(offer.amount) || after.creator - before.creator !== BigInt(offer.amount)) {
    throw new Error('The balances did not move by exactly the price.');
  }
  print('The price moved from buyer to creator, exactly once.');
}

async function getSandbox(serverUrl: string): Promise<Sandbox> {
  const response = await fetch(`${serverUrl}/sandbox`).catch(() => null);
  if (!response) {
    throw new Error(`Nothing answers at ${serverUrl}. Start the server in another terminal first: npm start`);
  }
  if (!response.ok) {
    throw new Error(`${serverUrl} runs without the sandbox. The demo needs its faucet: start it with MODE=sandbox.`);
  }
  return (await response.json()) as Sandbox;
}

interface Challenge {
  accepts: { amount: string; network: string; payTo: Hex }[];
}

async function readChallenge(url: string): Promise<Challenge> {
  const response = await fetch(url, { method: 'POST' });
  const header = response.headers.get('PAYMENT-REQUIRED');
  if (response.status !== 402 || !header) {
    throw new Error(`${url} answered ${response.status} instead of 402.`);
  }
  return JSON.parse(Buffer.from(header, 'base64').toString()) as Challenge;
}

async function postJson(url: string, value: unknown): Promise<Record<string, unknown>> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(value),
  });
  const body = (await response.json()) as Record<string, unknown>;
  if (!response.ok) {
    throw new Error(`${url} answered ${response.status}: ${String(body['detail'])}`);
  }
  return body;
}

interface Parties {
  asset: Hex;
  buyer: Hex;
  creator: Hex;
}

async function readBalances(chain: PublicClient, parties: Parties): Promise<{ buyer: bigint; creator: bigint }> {
  const balanceOf = (address: Hex): Promise<bigint> =>
    chain.readContract({ address: parties.asset, abi: erc20Abi, functionName: 'balanceOf', args: [address] });
  return { buyer: await balanceOf(parties.buyer), creator: await balanceOf(parties.creator) };
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => `                ${line}`)
    .join('\n');
}
