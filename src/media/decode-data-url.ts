import { Problem } from '#kit/index.ts';
import { tooLarge } from './media-limits.ts';

const PREFIX = /^data:[a-z0-9.+/-]{0,100}(;[a-z0-9=._-]{1,40}){0,4};base64,/i;

/** The bytes of a base64 data URL. Its declared type is not looked at. Throws `too_large` or `unprocessable`. */
export function decodeDataUrl(dataUrl: string, maxBytes: number): Buffer {
  const prefix = PREFIX.exec(dataUrl.slice(0, 300))?.[0];
  const base64 = prefix === undefined ? '' : dataUrl.slice(prefix.length);
  if (base64.length > (maxBytes / 3) * 4 + 4) {
    throw tooLarge('The file', maxBytes);
  }
  if (base64 === '' || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(base64)) {
    throw new Problem('unprocessable', { detail: 'The file is not base64 in a data URL.' });
  }
  return Buffer.from(base64, 'base64');
}
