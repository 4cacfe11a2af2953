import { safeParse } from '#kit/index.ts';
import { z } from 'zod';
import type { Network } from '../../network.ts';
import type { Accepted, Payment } from '../../payment.ts';
import { describeShape } from '../../wire/describe-shape.ts';
import type { DecodedPayload } from '../scheme.ts';

const MAX_UINT256 = 2n ** 256n - 1n;
const BYTES_OF_A_SIGNATURE = 4096;
/** Authorisations may be valid for ever (2^256 - 1); PostgreSQL's time ends sooner. The last second of the year 9999. */
const END_OF_TIME = 253_402_300_799n;

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

/** Strict: nothing may stand beside what is signed. */
const shape = z.strictObject({
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

/**
 * EIP-3009 authorisation as the payer signed it: addresses and nonce in lower case, numbers in plain decimal digits; and
 * the signature, 65 bytes unless a contract wallet made it.
 */
export type ExactPayload = z.output<typeof shape>;

export function decodePayload(
  value: unknown,
  given: { network: Network | null; accepted?: Accepted | undefined },
): DecodedPayload {
  const parsed = safeParse(shape, value);
  if (!parsed.success) {
    return { ok: false, detail: describeShape(parsed.error, 'payload', 'EIP-3009 payments') };
  }
  const { authorization } = parsed.data;
  const end = BigInt(authorization.validBefore);
  return {
    ok: true,
    parts: {
      asset: (given.network?.asset.address ?? given.accepted?.asset ?? '').toLowerCase(),
      payer: authorization.from,
      uniquenessKey: authorization.nonce,
      maxAmountAtomic: BigInt(authorization.value),
      expiresAt: Number(end < END_OF_TIME ? end : END_OF_TIME),
      payload: parsed.data,
    },
  };
}

/** What `decodePayload` has checked, and nothing else makes payments of this scheme. */
export function payloadOf(payment: Payment): ExactPayload {
  return payment.payload as ExactPayload;
}
