import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeBase64, decodeDataUrl, isDataUrl, toDataUrl } from './data-url.ts';

test('any bytes come back from their data URL, in either alphabet and without padding', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (bytes) => {
      const url = toDataUrl('image/png', bytes);
      const [prefix = '', base64 = ''] = url.split(/(?<=,)/);
      const other = base64.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
      expect(decodeDataUrl(url, bytes.length)).toEqual({ bytes: Buffer.from(bytes) });
      expect(decodeDataUrl(prefix + other, bytes.length)).toEqual({ bytes: Buffer.from(bytes) });
      expect(isDataUrl(url)).toBe(true);
    }),
  );
});

test.each(['', '=', 'A', 'AAAAA', 'AA=', 'AAA==', 'A===', 'AA AA', 'AAAA\n', '@@@@', 'AA==AA=='])(
  '%j is no base64',
  (text) => expect(decodeBase64(text, 1_000)).toEqual({ fault: 'malformed' }),
);

test.each([
  '',
  'data:',
  'data:image/png,AAAA',
  'https://e.example/;base64,AAAA',
  `data:${'a'.repeat(400)};base64,AAAA`,
])('%j is no data URL in base64', (text) =>
  expect([isDataUrl(text), decodeDataUrl(text, 9)]).toEqual([false, { fault: 'malformed' }]),
);

test('what has more bytes than are taken is not decoded', () => {
  const big = toDataUrl('image/png', Buffer.alloc(1_003));
  expect(decodeDataUrl(big, 1_000)).toEqual({ fault: 'too_large', aboutBytes: 1_005 });
});
