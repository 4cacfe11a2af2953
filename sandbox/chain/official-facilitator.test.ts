import { x402Client } from '@x402/core/client';
import { x402Facilitator } from '@x402/core/facilitator';
import type { PaymentPayload, PaymentRequirements } from '@x402/core/types';
import { ExactEvmScheme as ExactClient } from '@x402/evm/exact/client';
import { ExactEvmScheme as ExactFacilitator } from '@x402/evm/exact/facilitator';
import { ExactEvmSchemeV1 as ExactClientV1 } from '@x402/evm/exact/v1/client';
import { ExactEvmSchemeV1 as ExactFacilitatorV1 } from '@x402/evm/exact/v1/facilitator';
import { UptoEvmScheme as UptoClient } from '@x402/evm/upto/client';
import { UptoEvmScheme as UptoFacilitator } from '@x402/evm/upto/facilitator';
import { maxUint256, parseAbi, parseEther } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import type { Address, Hex, PrivateKeyAccount } from 'viem';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { contractAddresses, readArtefact } from '#sandbox/index.ts';
import { toSdkSigner } from '../../tests/support/sdk-facilitator.ts';
import { useTestChain } from '../../tests/support/test-chain.ts';

const NETWORK = 'eip155:84532';
const chain = useTestChain();
const settler = privateKeyToAccount(generatePrivateKey());
const payTo = privateKeyToAccount(generatePrivateKey()).address;
const abi = parseAbi([
  'function approve(address spender,uint256 value) returns (bool)',
  'function transfer(address to,uint256 value) returns (bool)',
  'function claim(address newOwner)',
]);
const sdk = new x402Facilitator();
let payer: PrivateKeyAccount;

beforeAll(async () => {
  await chain.current.fund(settler.address, parseEther('10'));
  const signer = toSdkSigner(chain, settler);
  sdk.register(NETWORK, new ExactFacilitator(signer));
  sdk.register(NETWORK, new UptoFacilitator(signer));
  sdk.registerV1('base-sepolia' as never, new ExactFacilitatorV1(signer));
});

beforeEach(async () => {
  payer = privateKeyToAccount(generatePrivateKey());
  await chain.current.faucet.send(payer.address);
});

function requirements(changes: Partial<PaymentRequirements> = {}): PaymentRequirements {
  return {
    scheme: 'exact',
    network: NETWORK,
    asset: contractAddresses.usdc,
    amount: '10000',
    payTo,
    maxTimeoutSeconds: 300,
    extra: { name: 'USDC', version: '2' },
    ...changes,
  };
}

function pay(accepted: PaymentRequirements): Promise<PaymentPayload> {
  const client = new x402Client().register(NETWORK, new ExactClient(payer)).register(NETWORK, new UptoClient(payer));
  return client.createPaymentPayload({ x402Version: 2, resource: { url: 'http://127.0.0.1/x' }, accepts: [accepted] });
}

async function send(
  from: PrivateKeyAccount,
  write: { to: Address; name: 'approve' | 'transfer'; args: [Address, bigint] },
) {
  await chain.current.fund(from.address, parseEther('1'));
  const { to: address, name: functionName, args } = write;
  const hash = await chain.client.writeContract({ account: from, address, abi, functionName, args });
  await chain.client.waitForTransactionReceipt({ hash });
}

test('the official facilitator pays by EIP-3009: verified, settled, the balance moves by exactly the price', async () => {
  const offer = requirements();
  const payment = await pay(offer);
  const before = await chain.current.balanceAtomic(payTo);
  expect(await sdk.verify(payment, offer)).toMatchObject({ isValid: true, payer: payer.address });
  const settled = await sdk.settle(payment, offer);
  expect(settled).toMatchObject({ success: true, network: NETWORK });
  const receipt = await chain.client.getTransactionReceipt({ hash: settled.transaction as Hex });
  expect(receipt.status).toBe('success');
  expect(await chain.current.balanceAtomic(payTo)).toBe(before + 10_000n);
  expect(await chain.current.balanceAtomic(payer.address)).toBe(9_990_000n);
});

test('the official facilitator refuses a nonce that was used, by its own reason', async () => {
  const offer = requirements();
  const payment = await pay(offer);
  await sdk.settle(payment, offer);
  expect(await sdk.verify(payment, offer)).toMatchObject({
    isValid: false,
    invalidReason: 'invalid_exact_evm_nonce_already_used',
  });
  // Settling does not simulate: here the token's own revert text is what the SDK reads.
  expect(await sdk.settle(payment, offer)).toMatchObject({
    success: false,
    errorReason: 'invalid_exact_evm_nonce_already_used',
  });
});

test('the official facilitator refuses a balance that is too small, before and while settling', async () => {
  await send(payer, { to: contractAddresses.usdc, name: 'transfer', args: [settler.address, 9_990_001n] });
  const offer = requirements();
  expect(await sdk.verify(await pay(offer), offer)).toMatchObject({
    isValid: false,
    invalidReason: 'invalid_exact_evm_insufficient_balance',
  });
  expect(await sdk.settle(await pay(offer), offer)).toMatchObject({
    success: false,
    errorReason: 'invalid_exact_evm_insufficient_balance',
  });
});

test('the official facilitator refuses a domain that is not the one of the token', async () => {
  const offer = requirements({ extra: { name: 'USD Coin', version: '2' } });
  expect(await sdk.verify(await pay(offer), offer)).toMatchObject({
    isValid: false,
    invalidReason: 'invalid_exact_evm_token_name_mismatch',
  });
});

test('the official facilitator settles a payment of version 1', async () => {
  const offer = {
    scheme: 'exact',
    network: 'base-sepolia',
    maxAmountRequired: '10000',
    resource: 'http://127.0.0.1/x',
    description: '',
    mimeType: 'application/json',
    outputSchema: {},
    payTo,
    maxTimeoutSeconds: 300,
    asset: contractAddresses.usdc,
    extra: { name: 'USDC', version: '2' },
  };
  const client = new x402Client().registerV1('base-sepolia', new ExactClientV1(payer));
  const payment = await client.createPaymentPayload({ x402Version: 1, accepts: [offer] } as never);
  expect(await sdk.settle(payment, offer as never)).toMatchObject({ success: true });
  expect(await chain.current.balanceAtomic(payer.address)).toBe(9_990_000n);
});

test('the official facilitator settles a payment of a contract wallet (ERC-1271)', async () => {
  const wallet = privateKeyToAccount(generatePrivateKey()).address;
  const { runtimeBytecode } = await readArtefact('contract-wallet');
  await chain.client.setCode({ address: wallet, bytecode: runtimeBytecode });
  const claim = { account: settler, address: wallet, abi, functionName: 'claim', args: [payer.address] } as const;
  await chain.client.waitForTransactionReceipt({ hash: await chain.client.writeContract(claim) });
  await chain.current.faucet.send(wallet);
  const offer = requirements();
  const client = new x402Client().register(
    NETWORK,
    new ExactClient({ address: wallet, signTypedData: (data) => payer.signTypedData(data) }),
  );
  const resource = { url: 'http://127.0.0.1/x' };
  const payment = await client.createPaymentPayload({ x402Version: 2, resource, accepts: [offer] });
  expect(await sdk.verify(payment, offer)).toMatchObject({ isValid: true, payer: wallet });
  expect(await sdk.settle(payment, offer)).toMatchObject({ success: true });
  expect(await chain.current.balanceAtomic(wallet)).toBe(9_990_000n);
});

test('the official facilitator pays by Permit2 through the exact proxy, and says when the allowance is missing', async () => {
  const offer = requirements({ extra: { name: 'USDC', version: '2', assetTransferMethod: 'permit2' } });
  expect(await sdk.verify(await pay(offer), offer)).toMatchObject({
    isValid: false,
    invalidReason: 'permit2_allowance_required',
  });
  await send(payer, { to: contractAddresses.usdc, name: 'approve', args: [contractAddresses.permit2, maxUint256] });
  const payment = await pay(offer);
  expect(await sdk.verify(payment, offer)).toMatchObject({ isValid: true });
  expect(await sdk.settle(payment, offer)).toMatchObject({ success: true });
  expect(await chain.current.balanceAtomic(payer.address)).toBe(9_990_000n);
  expect(await sdk.verify(payment, offer)).toMatchObject({ isValid: false });
});

test('the official facilitator pays a part of the permitted amount through the upto proxy', async () => {
  await send(payer, { to: contractAddresses.usdc, name: 'approve', args: [contractAddresses.permit2, maxUint256] });
  const extra = { name: 'USDC', version: '2', facilitatorAddress: settler.address };
  const offer = requirements({ scheme: 'upto', amount: '50000', extra });
  const payment = await pay(offer);
  expect(await sdk.verify(payment, offer)).toMatchObject({ isValid: true });
  expect(await sdk.settle(payment, { ...offer, amount: '12345' })).toMatchObject({ success: true });
  expect(await chain.current.balanceAtomic(payer.address)).toBe(10_000_000n - 12_345n);
});
