import createHash from 'keccak';

/** Native; about eight times faster than the JavaScript ones. */
export function keccak256(bytes: Buffer | string): Buffer {
  return createHash('keccak256').update(bytes).digest();
}
