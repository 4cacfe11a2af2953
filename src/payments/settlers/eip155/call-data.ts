/** Stands at this address on every chain where it stands at all. */
export const MULTICALL3 = '0xca11bde05977b3631167028862be2a173976ca11';
/** bytes4 of isValidSignature(bytes32,bytes), which ERC-1271 also makes the answer for "yes". */
export const ERC1271_MAGIC = '1626ba7e';

const selectors = {
  balanceOf: '70a08231', // balanceOf(address)
  aggregate3: '82ad56cb', // aggregate3((address,bool,bytes)[])
  error: '08c379a0', // Error(string)
};

export interface Call {
  target: string;
  data: string;
}

export interface CallResult {
  success: boolean;
  /** Hexadecimal digits without 0x. */
  data: string;
}

export function encodeBalanceOf(owner: string): string {
  return `0x${selectors.balanceOf}${addressWord(owner)}`;
}

export function encodeIsValidSignature(digest: Buffer, signature: string): string {
  return `0x${ERC1271_MAGIC}${digest.toString('hex')}${numberWord(64)}${bytesTail(signature.slice(2))}`;
}

/** Multicall3.aggregate3 with allowFailure on every call. */
export function encodeAggregate3(calls: readonly Call[]): string {
  const tuples = calls.map(
    ({ target, data }) => addressWord(target) + numberWord(1) + numberWord(96) + bytesTail(data.slice(2)),
  );
  let offset = calls.length * 32;
  const offsets = tuples.map((tuple) => {
    const at = numberWord(offset);
    offset += tuple.length / 2;
    return at;
  });
  return `0x${selectors.aggregate3}${numberWord(32)}${numberWord(calls.length)}${offsets.join('')}${tuples.join('')}`;
}

/** `null` when the answer is not what aggregate3 returns for `count` calls: an RPC is not trusted to answer well. */
export function decodeAggregate3(answer: string, count: number): CallResult[] | null {
  const hex = answer.slice(2);
  const start = readNumber(hex, 0);
  if (start === null || readNumber(hex, start) !== count) {
    return null;
  }
  const base = start + 32;
  const results: CallResult[] = [];
  for (let index = 0; index < count; index += 1) {
    const offset = readNumber(hex, base + index * 32);
    const success = offset === null ? null : readNumber(hex, base + offset);
    const data = offset === null ? null : readBytes(hex, base + offset);
    if (success === null || data === null) {
      return null;
    }
    results.push({ success: success === 1, data });
  }
  return results;
}

/** The text of Error(string), or the raw digits: custom errors are not decoded. */
export function decodeRevert(data: string): string {
  const hex = data.startsWith('0x') ? data.slice(2) : data;
  if (!hex.startsWith(selectors.error)) {
    return hex.slice(0, 200);
  }
  const length = readNumber(hex.slice(8), 32) ?? 0;
  return Buffer.from(hex.slice(8 + 128, 8 + 128 + Math.min(length, 200) * 2), 'hex').toString('utf8');
}

function readBytes(hex: string, tuple: number): string | null {
  const offset = readNumber(hex, tuple + 32);
  const length = offset === null ? null : readNumber(hex, tuple + offset);
  if (offset === null || length === null) {
    return null;
  }
  const from = (tuple + offset + 32) * 2;
  return from + length * 2 <= hex.length ? hex.slice(from, from + length * 2) : null;
}

/** The word at byte `position` as a small number; `null` beyond the end or when it is not small. */
function readNumber(hex: string, position: number): number | null {
  const word = hex.slice(position * 2, position * 2 + 64);
  return /^0{56}[0-9a-f]{8}$/i.test(word) ? Number.parseInt(word, 16) : null;
}

/** Length and bytes, padded to words. `digits` are hexadecimal, without 0x. */
export function bytesTail(digits: string): string {
  const padded = Math.ceil(digits.length / 64) * 64;
  return numberWord(digits.length / 2) + digits.padEnd(padded, '0');
}

export function addressWord(address: string): string {
  return address.slice(2).toLowerCase().padStart(64, '0');
}

export function numberWord(value: number | string): string {
  return BigInt(value).toString(16).padStart(64, '0');
}
