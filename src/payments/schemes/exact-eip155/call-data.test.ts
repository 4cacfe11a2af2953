import { eip3009ABI } from '@x402/evm';
import fc from 'fast-check';
import { encodeFunctionData, parseAbi, type Hex } from 'viem';
import { describe, expect, test } from 'vitest';
import { makeOffer, toPayment } from '../../../../tests/support/pay.ts';
import { encodeAuthorizationState, encodeTransfer } from './call-data.ts';

const hex = (least: number, most = least) =>
  fc.uint8Array({ minLength: least, maxLength: most }).map((bytes): Hex => `0x${Buffer.from(bytes).toString('hex')}`);
const uint256 = fc.bigInt({ min: 0n, max: 2n ** 256n - 1n });
const authorization = fc.record({
  from: hex(20),
  to: hex(20),
  value: uint256,
  validAfter: uint256,
  validBefore: uint256,
  nonce: hex(32),
});

interface Signed {
  from: Hex;
  to: Hex;
  value: bigint;
  validAfter: bigint;
  validBefore: bigint;
  nonce: Hex;
}

const toSigned = (signed: Signed, signature: string) =>
  toPayment(1, makeOffer(), {
    signature,
    authorization: {
      ...signed,
      value: String(signed.value),
      validAfter: String(signed.validAfter),
      validBefore: String(signed.validBefore),
    },
  });

const toArguments = (signed: Signed) =>
  [signed.from, signed.to, signed.value, signed.validAfter, signed.validBefore, signed.nonce] as const;

describe('call data of EIP-3009 is encoded as viem encodes it', () => {
  test('a transfer with a 65-byte signature', () => {
    fc.assert(
      fc.property(authorization, fc.tuple(hex(32), hex(32), fc.constantFrom(27, 28)), (signed, [r, s, v]) => {
        const payment = toSigned(signed, `${r}${s.slice(2)}${v.toString(16)}`);
        expect(encodeTransfer(payment)).toBe(
          encodeFunctionData({
            abi: eip3009ABI,
            functionName: 'transferWithAuthorization',
            args: [...toArguments(signed), v, r, s],
          }),
        );
      }),
    );
  });

  test('a transfer with any other signature', () => {
    fc.assert(
      fc.property(
        authorization,
        hex(1, 300).filter((signature) => signature.length !== 132),
        (signed, signature) => {
          expect(encodeTransfer(toSigned(signed, signature))).toBe(
            encodeFunctionData({
              abi: eip3009ABI,
              functionName: 'transferWithAuthorization',
              args: [...toArguments(signed), signature],
            }),
          );
        },
      ),
    );
  });

  test('authorizationState', () => {
    const abi = parseAbi(['function authorizationState(address,bytes32) view returns (bool)']);
    fc.assert(
      fc.property(hex(20), hex(32), (address, word) => {
        expect(encodeAuthorizationState(address, word)).toBe(
          encodeFunctionData({ abi, functionName: 'authorizationState', args: [address, word] }),
        );
      }),
    );
  });
});
