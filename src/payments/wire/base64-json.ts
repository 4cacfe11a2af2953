const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const MAX_DEPTH = 32;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Strict base64 (standard alphabet, padded) of strict UTF-8 JSON, at most 32 levels deep. `undefined` when it is not. */
export function decodeBase64Json(text: string): unknown {
  if (!BASE64.test(text)) {
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

function isShallow(value: unknown, levels: number): boolean {
  if (value === null || typeof value !== 'object') {
    return true;
  }
  return levels > 0 && Object.values(value).every((item) => isShallow(item, levels - 1));
}
