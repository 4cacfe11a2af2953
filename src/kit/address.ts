import { keccak256 } from './keccak256.ts';

const ADDRESS = /^0x[0-9a-fA-F]{40}$/;

/** An Ethereum address as somebody wrote it, with its checksum; `null` when it is none. Mixed case must be right (EIP-55). */
export function parseAddress(text: string): `0x${string}` | null {
  if (!ADDRESS.test(text)) {
    return null;
  }
  const address = toChecksumAddress(text);
  return text === address || text === text.toLowerCase() ? address : null;
}

/** EIP-55: many clients refuse an address whose mixed case is not its checksum. */
export function toChecksumAddress(address: string): `0x${string}` {
  const digits = address.slice(2).toLowerCase();
  const hash = keccak256(digits).toString('hex');
  const cased = Array.from(digits, (digit, index) =>
    Number.parseInt(hash.charAt(index), 16) >= 8 ? digit.toUpperCase() : digit,
  );
  return `0x${cased.join('')}`;
}
