import { Problem } from '#kit/index.ts';

const MAX_IMAGE_BYTES = 10_000_000;

const PREFIX = /^data:[a-z0-9.+/-]{0,100}(;[a-z0-9=._-]{1,40}){0,4};base64,/i;

/** The bytes of a base64 data URL. Its declared type is not looked at. Throws `too_large` or `unprocessable`. */
export function decodeDataUrl(dataUrl: string): Buffer {
  const prefix = PREFIX.exec(dataUrl.slice(0, 300))?.[0];
  const base64 = prefix === undefined ? '' : dataUrl.slice(prefix.length);
  if (base64.length > (MAX_IMAGE_BYTES / 3) * 4 + 4) {
    throw tooLarge();
  }
  if (base64 === '' || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(base64)) {
    throw new Problem('unprocessable', { detail: 'The image is not base64 in a data URL.' });
  }
  return Buffer.from(base64, 'base64');
}

function tooLarge(): Problem {
  return new Problem('too_large', { detail: `An image may have at most ${MAX_IMAGE_BYTES / 1_000_000} MB.` });
}
