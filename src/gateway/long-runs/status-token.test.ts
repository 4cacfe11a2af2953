import fc from 'fast-check';
import { expect, test } from 'vitest';
import { digestOf, newStatusToken } from './status-token.ts';

test('what is stored of a status token is no part of it, and no other token has it', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(fc.string({ maxLength: 60 }), (guess) => {
      const { token, digest } = newStatusToken();
      expect(token).toMatch(/^fbs_[\w-]{24}$/);
      expect(digest).toMatch(/^[0-9a-f]{64}$/);
      expect(digest).toBe(digestOf(token));
      expect(digest).not.toContain(token.slice('fbs_'.length));
      expect(digestOf(guess)).not.toBe(digest);
      expect(digestOf(digest)).not.toBe(digest);
      expect(seen.has(token)).toBe(false);
      seen.add(token);
    }),
    { numRuns: 200 },
  );
});
