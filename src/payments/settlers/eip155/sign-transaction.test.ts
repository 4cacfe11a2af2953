import fc from 'fast-check';
import { keccak256, parseTransaction, type Hex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { expect, test } from 'vitest';
import { signTransaction, toSigningKey } from './sign-transaction.ts';

const hex = (least: number, most = least) =>
  fc.uint8Array({ minLength: least, maxLength: most }).map((bytes): Hex => `0x${Buffer.from(bytes).toString('hex')}`);
const amount = fc.bigInt({ min: 0n, max: 2n ** 64n });
const transaction = fc.record({
  chainId: fc.integer({ min: 1, max: 2 ** 31 }),
  nonce: fc.nat(),
  maxPriorityFeePerGas: amount,
  gasLimit: amount,
  to: hex(20),
  data: fc.oneof(hex(0, 3), hex(50, 60), hex(200, 700)),
});
const privateKey = hex(32).filter((key) => BigInt(key) > 0n && BigInt(key) < 2n ** 255n);

test('a transaction is signed as viem signs it, byte for byte', async () => {
  await fc.assert(
    fc.asyncProperty(privateKey, transaction, amount, async (key, fields, more) => {
      const account = privateKeyToAccount(key);
      const maxFeePerGas = fields.maxPriorityFeePerGas + more;
      const { raw, hash } = signTransaction(toSigningKey(key), { ...fields, maxFeePerGas });
      const { gasLimit, ...rest } = fields;
      expect(raw).toBe(await account.signTransaction({ ...rest, maxFeePerGas, gas: gasLimit, type: 'eip1559' }));
      expect(hash).toBe(keccak256(raw as Hex));
      expect(parseTransaction(raw as Hex).chainId).toBe(fields.chainId);
      expect(toSigningKey(key).address).toBe(account.address.toLowerCase());
    }),
    { numRuns: 60 },
  );
});

test.each(['0x', `0x${'00'.repeat(32)}`, `0x${'ff'.repeat(32)}`, '0x1234', 'hello'])(
  '%s is no key, and is not repeated',
  (key) => {
    expect(() => toSigningKey(key)).toThrow('A settler key is not a private key of secp256k1.');
  },
);
