const PREFIX = /^data:[^,]{0,200};base64,/i;
const PREFIX_LENGTH = 300;

export type Decoded = { bytes: Buffer } | { fault: 'malformed' } | { fault: 'too_large'; aboutBytes: number };

/** Does it begin as a data URL in base64 does? */
export function isDataUrl(text: string): boolean {
  return PREFIX.test(text.slice(0, PREFIX_LENGTH));
}

/** The bytes of a base64 data URL. What type it declares is not looked at. */
export function decodeDataUrl(text: string, maxBytes: number): Decoded {
  const prefix = PREFIX.exec(text.slice(0, PREFIX_LENGTH))?.[0];
  return prefix === undefined ? { fault: 'malformed' } : decodeBase64(text.slice(prefix.length), maxBytes);
}

/** Of either alphabet, padded or not. Decodes nothing of what is larger. */
export function decodeBase64(base64: string, maxBytes: number): Decoded {
  const aboutBytes = Math.floor((base64.length * 3) / 4);
  // Two characters may be padding.
  if (aboutBytes > maxBytes + 2) {
    return { fault: 'too_large', aboutBytes };
  }
  const isWhole = base64.endsWith('=') ? base64.length % 4 === 0 : base64.length % 4 !== 1;
  return isWhole && /^[A-Za-z0-9+/_-]+={0,2}$/.test(base64)
    ? { bytes: Buffer.from(base64, 'base64') }
    : { fault: 'malformed' };
}

export function toDataUrl(contentType: string, bytes: Uint8Array): string {
  return `data:${contentType};base64,${toBase64(bytes)}`;
}

/** Without a copy of the bytes. */
export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
}
