import fc from 'fast-check';
import { encodeAbiParameters, encodeFunctionData, encodeFunctionResult, multicall3Abi, parseAbi, type Hex } from 'viem';
import { describe, expect, test } from 'vitest';
import {
  decodeAggregate3,
  decodeRevert,
  encodeAggregate3,
  encodeBalanceOf,
  encodeIsValidSignature,
} from './call-data.ts';

const hex = (least: number, most = least) =>
  fc.uint8Array({ minLength: least, maxLength: most }).map((bytes): Hex => `0x${Buffer.from(bytes).toString('hex')}`);

describe('call data is encoded as viem encodes it', () => {
  test('balanceOf and isValidSignature', () => {
    const abi = parseAbi([
      'function balanceOf(address) view returns (uint256)',
      'function isValidSignature(bytes32,bytes) view returns (bytes4)',
    ]);
    fc.assert(
      fc.property(hex(20), hex(32), hex(0, 200), (address, word, bytes) => {
        expect(encodeBalanceOf(address)).toBe(encodeFunctionData({ abi, functionName: 'balanceOf', args: [address] }));
        expect(encodeIsValidSignature(Buffer.from(word.slice(2), 'hex'), bytes)).toBe(
          encodeFunctionData({ abi, functionName: 'isValidSignature', args: [word, bytes] }),
        );
      }),
    );
  });

  test('aggregate3', () => {
    const call = fc.record({ target: hex(20), data: hex(0, 100) });
    fc.assert(
      fc.property(fc.array(call, { maxLength: 20 }), (calls) => {
        const args = calls.map(({ target, data }) => ({ target, allowFailure: true, callData: data }));
        expect(encodeAggregate3(calls)).toBe(
          encodeFunctionData({ abi: multicall3Abi, functionName: 'aggregate3', args: [args] }),
        );
      }),
    );
  });
});

describe('decoding', () => {
  const result = fc.record({ success: fc.boolean(), returnData: hex(0, 100) });

  test('gives what aggregate3 returned', () => {
    fc.assert(
      fc.property(fc.array(result, { maxLength: 20 }), (results) => {
        const answer = encodeFunctionResult({ abi: multicall3Abi, functionName: 'aggregate3', result: results });
        expect(decodeAggregate3(answer, results.length)).toEqual(
          results.map(({ success, returnData }) => ({ success, data: returnData.slice(2) })),
        );
        expect(decodeAggregate3(answer, results.length + 1)).toBeNull();
      }),
    );
  });

  test('any bytes for aggregate3: results or null, never an exception', () => {
    fc.assert(
      fc.property(fc.array(result, { minLength: 1, maxLength: 5 }), fc.nat(), hex(0, 400), (results, cut, bytes) => {
        const answer = encodeFunctionResult({ abi: multicall3Abi, functionName: 'aggregate3', result: results });
        const short = answer.slice(0, 2 + (cut % (answer.length - 2)));
        expect(() => decodeAggregate3(short, results.length)).not.toThrow();
        expect(decodeAggregate3(bytes, 3)).toBeNull();
      }),
    );
  });

  test('gives the text of a revert, and a custom error as it is', () => {
    const text = 'FiatTokenV2: authorization is used or canceled';
    const data = `0x08c379a0${encodeAbiParameters([{ type: 'string' }], [text]).slice(2)}`;
    expect(decodeRevert(data)).toBe(text);
    expect(decodeRevert(data.slice(2))).toBe(text);
    expect(decodeRevert('0x12345678')).toBe('12345678');
    expect(decodeRevert('0x')).toBe('');
    expect(decodeRevert('0x08c379a0')).toBe('');
  });
});
