import fc from 'fast-check';
import { getAddress, isAddress } from 'viem';
import { expect, test } from 'vitest';
import { parseAddress, toChecksumAddress } from './address.ts';

const digits = (alphabet: string) =>
  fc
    .array(fc.constantFrom(...Array.from(alphabet)), { minLength: 40, maxLength: 40 })
    .map((chars) => `0x${chars.join('')}` as const);

test('toChecksumAddress gives every address the checksum that viem gives it', () => {
  fc.assert(
    fc.property(digits('0123456789abcdef'), (address) => {
      expect(toChecksumAddress(address)).toBe(getAddress(address));
      expect(parseAddress(address)).toBe(getAddress(address));
      expect(parseAddress(getAddress(address))).toBe(getAddress(address));
    }),
  );
});

test('parseAddress takes and refuses mixed case as viem does', () => {
  fc.assert(
    fc.property(digits('0123456789abcdefABCDEF'), (address) => {
      expect(parseAddress(address) !== null).toBe(isAddress(address));
    }),
  );
});

test.each([
  ['', 'nothing'],
  ['0x', 'no digits'],
  [`0x${'1'.repeat(39)}`, 'a digit too few'],
  [`0x${'1'.repeat(41)}`, 'a digit too many'],
  [`0X${'1'.repeat(40)}`, 'a capital X'],
  [`0x${'1'.repeat(39)}g`, 'a letter that is no digit'],
  [`0x${'1'.repeat(40)}\n`, 'a line end'],
  ['0xA0B86991C6218B36C1D19D4A2E9EB0CE3606EB48', 'capitals without a checksum'],
])('parseAddress refuses %j: %s', (text) => {
  expect(parseAddress(text)).toBeNull();
  expect(isAddress(text)).toBe(false);
});
