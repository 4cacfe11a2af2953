import { z } from 'zod';

const MAX_UINT256 = 2n ** 256n - 1n;
const BYTES_OF_A_SIGNATURE = 4096;

const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, 'expected an address: 0x and 40 hexadecimal digits')
  .toLowerCase();
const uint256 = z
  .string()
  .regex(/^\d{1,78}$/, 'expected a whole number in decimal digits')
  .transform((digits) => BigInt(digits))
  .refine((value) => value <= MAX_UINT256, 'expected a number below 2^256')
  .transform((value) => value.toString());
const bytes32 = z
  .string()
  .regex(/^0x[0-9a-fA-F]{64}$/, 'expected 32 bytes: 0x and 64 hexadecimal digits')
  .toLowerCase();
const signature = z
  .string()
  .max(2 + 2 * BYTES_OF_A_SIGNATURE, 'expected at most 4096 bytes')
  .regex(/^0x(?:[0-9a-fA-F]{2})+$/, 'expected bytes: 0x and hexadecimal digits')
  .toLowerCase();

/** exact on EVM with EIP-3009. Strict: nothing may stand beside what is signed. */
const payload = z.strictObject({
  signature,
  authorization: z.strictObject({
    from: address,
    to: address,
    value: uint256,
    validAfter: uint256,
    validBefore: uint256,
    nonce: bytes32,
  }),
});

const short = z.string().min(1).max(128);

/** What surrounds the signed part is only compared with our own offer, so unknown fields there are ignored. */
export const paymentV1 = z.object({
  x402Version: z.literal(1),
  scheme: z.literal('exact', 'expected the scheme "exact"'),
  network: short,
  payload,
});

export const paymentV2 = z.object({
  x402Version: z.literal(2),
  accepted: z.object({
    scheme: z.literal('exact', 'expected the scheme "exact"'),
    network: short,
    amount: z.string().regex(/^\d{1,78}$/, 'expected a whole number in decimal digits'),
    asset: short,
    payTo: short,
    maxTimeoutSeconds: z.number().positive(),
    extra: z.record(z.string(), z.unknown()).nullish(),
  }),
  payload,
});
