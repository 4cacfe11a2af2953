import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseAbi, parseEther } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import type { Address, Hex } from 'viem';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { contractAddresses, startChain, type Chain } from '#sandbox/index.ts';
import { connectChain } from '../../tests/support/connect-chain.ts';
import { findFreePort } from '../../tests/support/free-port.ts';
import { quietLog } from '../../tests/support/test-chain.ts';

const abi = parseAbi([
  'function cancelAuthorization(address authorizer,bytes32 nonce,bytes signature)',
  'function authorizationState(address authorizer,bytes32 nonce) view returns (bool)',
  'event AuthorizationCanceled(address indexed authorizer,bytes32 indexed nonce)',
]);
const nonce: Hex = `0x${'5a'.repeat(32)}`;
const usdc = contractAddresses.usdc;

let folder: string;
let port: number;
let chain: Chain | undefined;
const payer = privateKeyToAccount(generatePrivateKey());

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'farebox-chain-'));
  port = await findFreePort();
});

afterEach(async () => {
  await chain?.stop();
  chain = undefined;
  await rm(folder, { recursive: true, force: true });
});

const start = (changes: { snapshotSeconds?: number; port?: number } = {}) =>
  startChain({ folder, port, snapshotSeconds: 60, log: quietLog, ...changes });

/** Balances, a sender's nonce and a used authorization: what the ledger must find again. */
async function leaveTraces(rpcUrl: string): Promise<Hex> {
  const client = connectChain(rpcUrl);
  await client.setBalance({ address: payer.address, value: parseEther('1') });
  const signature = await payer.signTypedData({
    domain: { name: 'USDC', version: '2', chainId: 84532, verifyingContract: usdc },
    types: {
      CancelAuthorization: [
        { name: 'authorizer', type: 'address' },
        { name: 'nonce', type: 'bytes32' },
      ],
    },
    primaryType: 'CancelAuthorization',
    message: { authorizer: payer.address, nonce },
  });
  const hash = await client.writeContract({
    account: payer,
    address: usdc,
    abi,
    functionName: 'cancelAuthorization',
    args: [payer.address, nonce, signature],
  });
  await client.waitForTransactionReceipt({ hash });
  return hash;
}

async function findTraces(rpcUrl: string, hash: Hex) {
  const client = connectChain(rpcUrl);
  const logs = await client.getContractEvents({
    address: usdc,
    abi,
    eventName: 'AuthorizationCanceled',
    args: { authorizer: payer.address, nonce },
    fromBlock: 0n,
  });
  const args = [payer.address, nonce] as const;
  return {
    status: (await client.getTransactionReceipt({ hash })).status,
    logged: logs.map((log) => log.transactionHash),
    sent: await client.getTransactionCount({ address: payer.address }),
    isUsed: await client.readContract({ address: usdc, abi, functionName: 'authorizationState', args }),
  };
}

const everyTrace = (hash: Hex) => ({ status: 'success', logged: [hash], sent: 1, isUsed: true });

async function untilGone(pid: number): Promise<void> {
  await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow('ESRCH'), { timeout: 10_000, interval: 20 });
}

test('a new chain places every contract, funds a settler and gives test USDC', async () => {
  chain = await start();
  const client = connectChain(chain.rpcUrl);
  expect(await client.getChainId()).toBe(84532);
  for (const address of Object.values(contractAddresses)) {
    expect((await client.getCode({ address }))?.length).toBeGreaterThan(1000);
  }
  const settler: Address = privateKeyToAccount(generatePrivateKey()).address;
  await chain.fund(settler, parseEther('5'));
  await chain.fund(settler, parseEther('3'));
  expect(await client.getBalance({ address: settler })).toBe(parseEther('5'));
  const gifts = await Promise.all([chain.faucet.send(settler), chain.faucet.send(settler)]);
  expect(new Set(gifts.map((gift) => gift.transaction)).size).toBe(2);
  expect(await chain.balanceAtomic(settler)).toBe(20_000_000n);
});

test('the chain continues after a stop, with receipts and logs, and leaves no process', async () => {
  chain = await start();
  await chain.faucet.send(payer.address);
  const hash = await leaveTraces(chain.rpcUrl);
  const { pid } = chain;
  await chain.stop();
  await untilGone(pid);
  chain = await start();
  expect(await findTraces(chain.rpcUrl, hash)).toEqual(everyTrace(hash));
  expect(await chain.balanceAtomic(payer.address)).toBe(10_000_000n);
  await chain.faucet.send(payer.address);
  expect(await chain.balanceAtomic(payer.address)).toBe(20_000_000n);
});

test('a parent killed with -9 takes anvil along, which saves its state first', async () => {
  const child = fork(join(import.meta.dirname, '../../tests/support/chain-child.ts'), [folder, String(port)], {
    execArgv: [],
  });
  const [{ pid }] = (await once(child, 'message')) as [{ pid: number }];
  const hash = await leaveTraces(`http://127.0.0.1:${port}`);
  child.kill('SIGKILL');
  await once(child, 'exit');
  // Started at once: it has to wait for the one that is still saving.
  chain = await start();
  await untilGone(pid);
  expect(await findTraces(chain.rpcUrl, hash)).toEqual(everyTrace(hash));
});

test('an anvil killed with -9 loses at most what followed the last snapshot, and says that it is gone', async () => {
  const error = vi.fn<(fields: object, message: string) => void>();
  chain = await startChain({ folder, port, snapshotSeconds: 0.02, log: { ...quietLog, error } });
  const hash = await leaveTraces(chain.rpcUrl);
  const isSaved = async () => expect(await readFile(join(folder, 'state.json'), 'utf8')).toContain(hash);
  await vi.waitFor(isSaved, { timeout: 10_000, interval: 20 });
  process.kill(chain.pid, 'SIGKILL');
  await vi.waitFor(() => expect(error).toHaveBeenCalledOnce(), { timeout: 10_000, interval: 20 });
  chain = await start();
  expect(await findTraces(chain.rpcUrl, hash)).toEqual(everyTrace(hash));
});

test('a killed watchdog takes anvil along', async () => {
  chain = await start();
  const { stdout } = await promisify(execFile)('ps', ['-o', 'ppid=', '-p', String(chain.pid)]);
  process.kill(Number(stdout), 'SIGKILL');
  await expect(untilGone(chain.pid)).resolves.toBeUndefined();
});

test('the chain mines by the clock when a block time is given', async () => {
  chain = await startChain({ folder, port, blockTimeSeconds: 1, log: quietLog });
  const { transaction } = await chain.faucet.send(payer.address);
  const { blockNumber } = await connectChain(chain.rpcUrl).getTransactionReceipt({ hash: transaction });
  expect(blockNumber).toBeGreaterThan(0n);
});

test('a dump cut short never replaces a whole state', async () => {
  chain = await start();
  const hash = await leaveTraces(chain.rpcUrl);
  await chain.stop();
  chain = await start();
  await chain.stop();
  await truncate(join(folder, 'dump.json'), 500);
  chain = await start();
  expect(await findTraces(chain.rpcUrl, hash)).toEqual(everyTrace(hash));
});

test('a state that cannot be read is an error that says what to do, and leaves no process', async () => {
  await writeFile(join(folder, 'state.json'), 'not a state');
  await expect(start()).rejects.toThrow(/stopped while starting.*delete .* to begin anew/s);
});

test('the chain refuses to start on a port that another chain or program holds', async () => {
  chain = await start();
  const other = await mkdtemp(join(tmpdir(), 'farebox-chain-'));
  await expect(startChain({ folder: other, port, log: quietLog })).rejects.toThrow('taken by another chain (id 84532)');
  const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const taken = typeof address === 'object' && address ? address.port : 0;
  await expect(startChain({ folder: other, port: taken, log: quietLog })).rejects.toThrow('taken by another program');
  server.close();
  await rm(other, { recursive: true });
});
