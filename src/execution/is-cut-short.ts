const UNKNOWN_SIZES: ReadonlySet<number> = new Set([0, 0x7f_ff_ff_ff, 0xff_ff_ff_ff]);

/**
 * Does a file end before its own header says? Such a file looks like what it begins as and opens in no viewer, and would be
 * sold. False for what does not tell its length.
 */
export function isCutShort(bytes: Buffer): boolean {
  const start = bytes.toString('latin1', 0, 12);
  if (start.startsWith('\x89PNG')) {
    return !bytes.includes('IEND', Math.max(0, bytes.length - 65_536), 'latin1');
  }
  if (start.startsWith('\xff\xd8\xff')) {
    return !bytes.includes(Buffer.from([0xff, 0xd9]), Math.max(0, bytes.length - 65_536));
  }
  if (start.startsWith('RIFF') && bytes.length >= 12) {
    const size = bytes.readUInt32LE(4);
    return !UNKNOWN_SIZES.has(size) && bytes.length < size + 8 - (size % 2);
  }
  return start.slice(4, 8) === 'ftyp' && isBoxCut(bytes);
}

/** The boxes of ISO/IEC 14496-12 stand one behind the other; each tells its size. */
function isBoxCut(bytes: Buffer): boolean {
  let at = 0;
  while (at + 8 <= bytes.length) {
    const told = bytes.readUInt32BE(at);
    if (told === 0) {
      return false;
    }
    const isLarge = told === 1 && at + 16 <= bytes.length;
    const size = isLarge ? Number(bytes.readBigUInt64BE(at + 8)) : told;
    if (size < 8) {
      return true;
    }
    at += size;
  }
  return at !== bytes.length;
}
