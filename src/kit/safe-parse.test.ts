import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { hostileMembers } from '../../tests/support/hostile-json.ts';
import { safeParse } from './safe-parse.ts';

const schema = z.strictObject({
  text: z.string().min(1).max(5).optional(),
  list: z.array(z.string().length(2)).max(2).optional(),
  map: z.record(z.string(), z.unknown()).optional(),
});

test('objects that stand for texts and lists are refused at their places, whatever they hold', () => {
  const length = { toString: 1, valueOf: 1 };
  const parsed = safeParse(schema, { text: { length }, list: [{ length }], map: { length } });
  expect(parsed.error?.issues.map(({ path }) => path.join('/'))).toEqual(['text', 'list/0']);
  fc.assert(
    fc.property(hostileMembers(['text', 'list', 'map', 'size']), (value) => {
      expect(safeParse(schema, value).success).toBeTypeOf('boolean');
    }),
    { numRuns: 1_000 },
  );
});

test('what fits is given as it is', () => {
  const map = { length: { toString: 1 }, size: [1] };
  expect(safeParse(schema, { text: 'a', map }).data).toEqual({ text: 'a', map });
});
