import { parseAddress } from '#kit/index.ts';

/** The payee's address with its checksum, or what to tell a creator who gave another thing. */
export function checkPayTo(_network: string, text: string): { value: string } | { message: string } {
  const address = parseAddress(text);
  if (address === null) {
    return { message: 'Give the address that is paid: 0x and 40 hex digits, with a correct checksum if mixed.' };
  }
  return BigInt(address) === 0n ? { message: 'Nobody owns this address.' } : { value: address };
}
