import { concat, hexToBytes, numberToHex, parseAbi, parseSignature, toHex } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import type { Address, Hex, PrivateKeyAccount } from 'viem';
import { beforeEach, describe, expect, test } from 'vitest';
import { contractAddresses, readArtefact } from '#sandbox/index.ts';
import { useTestChain } from '../../tests/support/test-chain.ts';

const chain = useTestChain();
const usdc = contractAddresses.usdc;
const abi = parseAbi([
  'function transferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce,uint8 v,bytes32 r,bytes32 s)',
  'function transferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce,bytes signature)',
  'function receiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce,bytes signature)',
  'function cancelAuthorization(address authorizer,bytes32 nonce,bytes signature)',
  'function permit(address owner,address spender,uint256 value,uint256 deadline,uint8 v,bytes32 r,bytes32 s)',
  'function authorizationState(address authorizer,bytes32 nonce) view returns (bool)',
  'function allowance(address owner,address spender) view returns (uint256)',
  'function balanceOf(address account) view returns (uint256)',
  'function transfer(address to,uint256 value) returns (bool)',
  'function transferFrom(address from,address to,uint256 value) returns (bool)',
  'function approve(address spender,uint256 value) returns (bool)',
  'function name() view returns (string)',
  'function version() view returns (string)',
  'function decimals() view returns (uint8)',
  'function nonces(address owner) view returns (uint256)',
  'function totalSupply() view returns (uint256)',
  'function claim(address newOwner)',
  'event Transfer(address indexed from,address indexed to,uint256 value)',
  'event AuthorizationUsed(address indexed authorizer,bytes32 indexed nonce)',
  'event AuthorizationCanceled(address indexed authorizer,bytes32 indexed nonce)',
]);
const domain = { name: 'USDC', version: '2', chainId: 84532, verifyingContract: usdc } as const;
const transferFields = [
  { name: 'from', type: 'address' },
  { name: 'to', type: 'address' },
  { name: 'value', type: 'uint256' },
  { name: 'validAfter', type: 'uint256' },
  { name: 'validBefore', type: 'uint256' },
  { name: 'nonce', type: 'bytes32' },
] as const;
const types = {
  TransferWithAuthorization: transferFields,
  ReceiveWithAuthorization: transferFields,
  CancelAuthorization: [
    { name: 'authorizer', type: 'address' },
    { name: 'nonce', type: 'bytes32' },
  ],
  Permit: [
    { name: 'owner', type: 'address' },
    { name: 'spender', type: 'address' },
    { name: 'value', type: 'uint256' },
    { name: 'nonce', type: 'uint256' },
    { name: 'deadline', type: 'uint256' },
  ],
} as const;

const payee = privateKeyToAccount(generatePrivateKey()).address;
const sender = privateKeyToAccount(generatePrivateKey());
let payer: PrivateKeyAccount;

interface Authorization {
  from: Address;
  to: Address;
  value: bigint;
  validAfter: bigint;
  validBefore: bigint;
  nonce: Hex;
}

beforeEach(async () => {
  payer = privateKeyToAccount(generatePrivateKey());
  await chain.current.fund(sender.address, 10n ** 20n);
  await chain.current.faucet.send(payer.address);
});

function authorize(changes: Partial<Authorization> = {}): Authorization {
  return {
    from: payer.address,
    to: payee,
    value: 10_000n,
    validAfter: 0n,
    validBefore: nowSeconds() + 300n,
    nonce: toHex(crypto.getRandomValues(new Uint8Array(32))),
    ...changes,
  };
}

const nowSeconds = () => BigInt(Math.floor(Date.now() / 1000));
const sign = (message: Authorization, signer = payer) =>
  signer.signTypedData({ domain, types, primaryType: 'TransferWithAuthorization', message });
const call = { address: usdc, abi, account: sender, gas: 200_000n } as const;

async function transfer(message: Authorization, signature: Hex) {
  const { from, to, value, validAfter, validBefore, nonce } = message;
  const args = [from, to, value, validAfter, validBefore, nonce, signature] as const;
  // The simulation shows the revert text; only what passes it is sent.
  await chain.client.simulateContract({ ...call, functionName: 'transferWithAuthorization', args });
  const hash = await chain.client.writeContract({ ...call, functionName: 'transferWithAuthorization', args });
  return chain.client.waitForTransactionReceipt({ hash });
}

const isUsed = (message: Authorization) =>
  chain.client.readContract({
    address: usdc,
    abi,
    functionName: 'authorizationState',
    args: [message.from, message.nonce],
  });

test('the token of the sandbox has the name, version, decimals and domain that official clients expect', async () => {
  const read = (functionName: 'name' | 'version' | 'decimals') =>
    chain.client.readContract({ address: usdc, abi, functionName });
  expect([await read('name'), await read('version'), await read('decimals')]).toEqual(['USDC', '2', 6]);
});

describe('transferWithAuthorization', () => {
  test('moves exactly the signed amount once and leaves both events', async () => {
    const before = await chain.current.balanceAtomic(payee);
    const message = authorize();
    const signature = await sign(message);
    const receipt = await transfer(message, signature);
    expect(receipt.status).toBe('success');
    expect(await chain.current.balanceAtomic(payee)).toBe(before + 10_000n);
    expect(await chain.current.balanceAtomic(payer.address)).toBe(9_990_000n);
    expect(await isUsed(message)).toBe(true);
    const used = await chain.client.getContractEvents({
      address: usdc,
      abi,
      eventName: 'AuthorizationUsed',
      args: { authorizer: payer.address, nonce: message.nonce },
      fromBlock: 0n,
    });
    const moved = await chain.client.getContractEvents({
      address: usdc,
      abi,
      eventName: 'Transfer',
      args: { from: payer.address, to: payee },
      fromBlock: 0n,
    });
    expect(used.map((log) => log.transactionHash)).toEqual([receipt.transactionHash]);
    expect(moved.map((log) => log.args.value)).toEqual([10_000n]);
    await expect(transfer(message, signature)).rejects.toThrow('FiatTokenV2: authorization is used or canceled');
  });

  test('takes the signature as v, r and s as well', async () => {
    const message = authorize();
    const { v = 0n, r, s } = parseSignature(await sign(message));
    const { from, to, value, validAfter, validBefore, nonce } = message;
    const hash = await chain.client.writeContract({
      ...call,
      functionName: 'transferWithAuthorization',
      args: [from, to, value, validAfter, validBefore, nonce, Number(v), r, s],
    });
    expect((await chain.client.waitForTransactionReceipt({ hash })).status).toBe('success');
    expect(await isUsed(message)).toBe(true);
  });

  test.each([
    ['expired', () => ({ validBefore: nowSeconds() - 60n }), 'FiatTokenV2: authorization is expired'],
    ['not yet valid', () => ({ validAfter: nowSeconds() + 60n }), 'FiatTokenV2: authorization is not yet valid'],
    ['more than the balance', () => ({ value: 10_000_001n }), 'ERC20: transfer amount exceeds balance'],
  ])('refuses an authorization that is %s', async (_, changes, reason) => {
    const message = authorize(changes());
    await expect(transfer(message, await sign(message))).rejects.toThrow(reason);
  });

  test('refuses an authorization with another signer, a changed amount and a changed payee', async () => {
    const message = authorize();
    const invalid = 'FiatTokenV2: invalid signature';
    await expect(transfer(message, await sign(message, sender))).rejects.toThrow(invalid);
    const signature = await sign(message);
    await expect(transfer({ ...message, value: 10_001n }, signature)).rejects.toThrow(invalid);
    await expect(transfer({ ...message, to: sender.address }, signature)).rejects.toThrow(invalid);
  });

  test('refuses malleable and malformed signatures', async () => {
    const message = authorize();
    const signature = await sign(message);
    const { r, s, yParity } = parseSignature(signature);
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
    const twin = concat([r, numberToHex(order - BigInt(s), { size: 32 }), numberToHex(28 - yParity)]);
    await expect(transfer(message, twin)).rejects.toThrow("ECRecover: invalid signature 's' value");
    await expect(transfer(message, concat([r, s, '0x1d']))).rejects.toThrow("ECRecover: invalid signature 'v' value");
    const short = toHex(hexToBytes(signature).slice(0, 64));
    await expect(transfer(message, short)).rejects.toThrow('ECRecover: invalid signature length');
  });

  test('refuses an authorization that was cancelled, and only its payer can cancel it', async () => {
    const message = authorize();
    const cancel = { authorizer: payer.address, nonce: message.nonce };
    const signCancel = (signer: PrivateKeyAccount) =>
      signer.signTypedData({ domain, types, primaryType: 'CancelAuthorization', message: cancel });
    const write = async (signature: Hex) =>
      chain.client.simulateContract({
        ...call,
        functionName: 'cancelAuthorization',
        args: [cancel.authorizer, cancel.nonce, signature],
      });
    await expect(write(await signCancel(sender))).rejects.toThrow('FiatTokenV2: invalid signature');
    const { request } = await write(await signCancel(payer));
    await chain.client.waitForTransactionReceipt({ hash: await chain.client.writeContract(request) });
    await expect(transfer(message, await sign(message))).rejects.toThrow(
      'FiatTokenV2: authorization is used or canceled',
    );
  });

  test('asks a contract wallet about its signature (ERC-1271)', async () => {
    const wallet = privateKeyToAccount(generatePrivateKey()).address;
    const { runtimeBytecode } = await readArtefact('contract-wallet');
    await chain.client.setCode({ address: wallet, bytecode: runtimeBytecode });
    const hash = await chain.client.writeContract({
      ...call,
      address: wallet,
      functionName: 'claim',
      args: [payer.address],
    });
    await chain.client.waitForTransactionReceipt({ hash });
    await chain.current.faucet.send(wallet);
    const message = authorize({ from: wallet });
    await expect(transfer(message, await sign(message, sender))).rejects.toThrow('FiatTokenV2: invalid signature');
    expect((await transfer(message, await sign(message))).status).toBe('success');
    expect(await chain.current.balanceAtomic(wallet)).toBe(9_990_000n);
  });
});

test('receiveWithAuthorization works only for the payee', async () => {
  const receive = async (message: Authorization) => {
    const signature = await payer.signTypedData({ domain, types, primaryType: 'ReceiveWithAuthorization', message });
    const { from, to, value, validAfter, validBefore, nonce } = message;
    const args = [from, to, value, validAfter, validBefore, nonce, signature] as const;
    return chain.client.simulateContract({ ...call, functionName: 'receiveWithAuthorization', args });
  };
  await expect(receive(authorize())).rejects.toThrow('FiatTokenV2: caller must be the payee');
  await expect(receive(authorize({ to: sender.address }))).resolves.toBeDefined();
});

test('permit gives an allowance, once and in time', async () => {
  const permit = async (deadline: bigint) => {
    const nonce = await chain.client.readContract({
      address: usdc,
      abi,
      functionName: 'nonces',
      args: [payer.address],
    });
    const message = { owner: payer.address, spender: sender.address, value: 7n, nonce, deadline };
    const {
      v = 0n,
      r,
      s,
    } = parseSignature(await payer.signTypedData({ domain, types, primaryType: 'Permit', message }));
    return [message.owner, message.spender, message.value, deadline, Number(v), r, s] as const;
  };
  const simulate = (args: Awaited<ReturnType<typeof permit>>) =>
    chain.client.simulateContract({ ...call, functionName: 'permit', args });
  await expect(simulate(await permit(nowSeconds() - 60n))).rejects.toThrow('FiatTokenV2: permit is expired');
  const args = await permit(nowSeconds() + 60n);
  const { request } = await simulate(args);
  await chain.client.waitForTransactionReceipt({ hash: await chain.client.writeContract(request) });
  await expect(simulate(args)).rejects.toThrow('EIP2612: invalid signature');
  const spend = (value: bigint) =>
    chain.client.simulateContract({ ...call, functionName: 'transferFrom', args: [payer.address, payee, value] });
  await expect(spend(8n)).rejects.toThrow('ERC20: transfer amount exceeds allowance');
  await expect(spend(7n)).resolves.toBeDefined();
});

test("viem's multicall reads many values in one call and shows each failure", async () => {
  const contract = { address: usdc, abi } as const;
  const results = await chain.client.multicall({
    multicallAddress: contractAddresses.multicall3,
    contracts: [
      { ...contract, functionName: 'balanceOf', args: [payer.address] },
      { ...contract, functionName: 'transfer', args: [payee, 1n] },
      { ...contract, functionName: 'version' },
    ],
  });
  expect(results.map((entry) => entry.status)).toEqual(['success', 'failure', 'success']);
  expect([results[0].result, results[2].result]).toEqual([10_000_000n, '2']);
});
