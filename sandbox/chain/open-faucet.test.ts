import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { expect, test } from 'vitest';
import { describeSandbox, openFaucet } from '#sandbox/index.ts';
import { useTestChain } from '../../tests/support/test-chain.ts';

const chain = useTestChain();
const freshAddress = () => privateKeyToAccount(generatePrivateKey()).address;

test('the faucet gives 10 test USDC by a real transaction and tells the new balance', async () => {
  const faucet = openFaucet({ chain: chain.current });
  const address = freshAddress();
  const gift = await faucet.send(address.toLowerCase());
  expect(gift).toMatchObject({ address, network: 'eip155:84532', amountUsdc: '10', balanceUsdc: '10' });
  const receipt = await chain.client.getTransactionReceipt({ hash: gift.transaction });
  expect(receipt.status).toBe('success');
  expect(await faucet.send(address)).toMatchObject({ balanceUsdc: '20' });
});

test.each([
  ['nothing', undefined],
  ['null', null],
  ['a number', 7],
  ['an object', { address: '0x00000000000000000000000000000000000000aa' }],
  ['a list', ['0x00000000000000000000000000000000000000aa']],
  ['an empty text', ''],
  ['39 digits', `0x${'a'.repeat(39)}`],
  ['41 digits', `0x${'a'.repeat(41)}`],
  ['no 0x', 'a'.repeat(40)],
  ['other letters', `0x${'g'.repeat(40)}`],
  ['a broken checksum', '0x036cBD53842c5426634e7929541eC2318f3dCF7e'],
  ['the zero address', `0x${'0'.repeat(40)}`],
  ['a name', 'vitalik.eth'],
  ['a space around it', ' 0x00000000000000000000000000000000000000aa '],
])('the faucet refuses %s', async (_, input) => {
  await expect(openFaucet({ chain: chain.current }).send(input)).rejects.toMatchObject({
    code: 'invalid_input',
    fields: [{ path: '/address' }],
  });
});

test('the faucet stops giving to one address after 20 times, in whatever case it is written, and says when to come back', async () => {
  const faucet = openFaucet({ chain: chain.current });
  const address = freshAddress();
  const spellings = [address, address.toLowerCase()];
  const tries = Array.from({ length: 25 }, (_, index) => faucet.send(spellings[index % 2]));
  const outcomes = await Promise.allSettled(tries);
  expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(20);
  await expect(faucet.send(address)).rejects.toMatchObject({
    code: 'rate_limited',
    headers: { 'retry-after': expect.stringMatching(/^\d+$/) },
  });
  await expect(faucet.send(freshAddress())).resolves.toMatchObject({ balanceUsdc: '10' });
});

test('the sandbox is described in plain JSON', () => {
  const sandbox = describeSandbox({ chain: chain.current, publicUrl: 'http://127.0.0.1:4020' });
  expect(JSON.parse(JSON.stringify(sandbox))).toEqual(sandbox);
  expect(sandbox).toMatchObject({
    chainId: 84532,
    rpcUrl: chain.current.rpcUrl,
    domain: { name: 'USDC', version: '2', verifyingContract: '0x036CbD53842c5426634e7929541eC2318f3dCF7e' },
    faucet: { url: 'http://127.0.0.1:4020/sandbox/faucet', amountUsdc: '10' },
  });
  expect(sandbox.simulated.map((entry) => entry.what)).toEqual(['chain', 'asset', 'mail']);
});
