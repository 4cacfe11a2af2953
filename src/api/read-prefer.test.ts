import type { IncomingMessage } from 'node:http';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readPrefer } from './read-prefer.ts';

const read = (prefer?: string) => readPrefer({ headers: prefer === undefined ? {} : { prefer } } as IncomingMessage);

test.each([
  [undefined, { isAsked: false, waitMs: 0 }],
  ['', { isAsked: false, waitMs: 0 }],
  ['respond-async', { isAsked: true, waitMs: 0 }],
  ['Respond-Async, wait=10', { isAsked: true, waitMs: 10_000 }],
  ['wait="5"', { isAsked: false, waitMs: 5_000 }],
  ['wait=86400', { isAsked: false, waitMs: 60_000 }],
  ['respond-async, wait=99999999999', { isAsked: true, waitMs: 60_000 }],
  ['wait=3, wait=9', { isAsked: false, waitMs: 3_000 }],
  ['return=minimal; foo="a", respond-async; x=1', { isAsked: true, waitMs: 0 }],
  ['respond-asynchronously, wait=-1, wait=soon', { isAsked: false, waitMs: 0 }],
])('%j', (text, expected) => {
  expect(read(text)).toEqual(expected);
});

test('any text is read, and no wait is longer than a minute', () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(), (text, seconds) => {
      const { waitMs } = read(`${text}, wait=${seconds}`);
      expect(waitMs).toBeGreaterThanOrEqual(0);
      expect(waitMs).toBeLessThanOrEqual(60_000);
    }),
  );
});
