/** Both alphabets of RFC 4648, one at a time, with their padding or without: clients write all four. */
const BASE64 = /^(?:[A-Za-z0-9+/]*|[A-Za-z0-9_-]*)(={0,2})$/;
const MAX_DEPTH = 32;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Base64 or base64url of strict UTF-8 JSON, at most 32 levels deep. `undefined` when it is not. */
export function decodeBase64Json(text: string): unknown {
  if (!isBase64(text)) {
    return undefined;
  }
  try {
    const value: unknown = JSON.parse(utf8.decode(Buffer.from(text, 'base64')));
    return isShallow(value, MAX_DEPTH) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function encodeBase64Json(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64');
}

/** Whole groups of four where it is padded; without padding, no group of one. */
function isBase64(text: string): boolean {
  const found = BASE64.exec(text);
  return found !== null && (found[1] === '' ? text.length % 4 !== 1 : text.length % 4 === 0);
}

function isShallow(value: unknown, levels: number): boolean {
  if (value === null || typeof value !== 'object') {
    return true;
  }
  return levels > 0 && Object.values(value).every((item) => isShallow(item, levels - 1));
}
