import { expect, test } from 'vitest';
import { z } from 'zod';
import { keepFitting } from './keep-fitting.ts';

const schema = z
  .strictObject({
    name: z.string().min(3).regex(/^a/),
    size: z.int().default(1),
    tags: z.array(z.string().max(3)),
    items: z.array(z.strictObject({ name: z.string(), kind: z.enum(['a', 'b']).default('a') })),
  })
  .refine(({ size }) => size < 9);

test.each<[string, unknown, [fits: object, faulty: string[]]]>([
  ['what is missing', { tags: [] }, [{ tags: [] }, []]],
  ['a member that is wrong in two ways', { name: 'x', tags: [] }, [{ tags: [] }, ['name']]],
  ['a member that is not known', { name: 'abc', shade: 1 }, [{ name: 'abc' }, ['shade']]],
  ['a list with a wrong item', { name: 'abc', tags: ['a', 'long'] }, [{ name: 'abc' }, ['tags']]],
  [
    'inside an item of a list, what the item can be without',
    { items: [{ name: 'x', kind: 'c', shade: 1 }, { name: 'y' }] },
    [{ items: [expect.objectContaining({ name: 'x' }), { name: 'y', kind: 'a' }] }, ['items']],
  ],
  [
    'an item that lacks what it needs, with its list',
    { name: 'abc', items: [{}, { name: 7 }] },
    [{ name: 'abc' }, ['items']],
  ],
  ['all of what is no object', 'x', [{}, []]],
])('left out is %s', (_, value, expected) => {
  const kept = keepFitting(schema, value);
  const { size: _size, ...rest } = kept.fits;
  expect([rest, [...kept.faulty]]).toEqual(expected);
});

test('what was sent is not changed', () => {
  const sent = { name: 7, items: [{ name: 'x', kind: 'c' }] };
  keepFitting(schema, sent);
  expect(sent).toEqual({ name: 7, items: [{ name: 'x', kind: 'c' }] });
});
