import { expect, test } from 'vitest';
import { isUuid, newId, parseUuid } from './ids.ts';

test('ids are unique and in the order in which they were made, over many rounds of randomness', () => {
  const ids = Array.from({ length: 5_000 }, newId);
  expect(ids.every(isUuid)).toBe(true);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids).toEqual(ids.toSorted());
  expect(ids.every((id) => id[14] === '7' && '89ab'.includes(id[19] ?? ''))).toBe(true);
});

test('an id is read in letters of either case, and nothing else is one', () => {
  const id = newId();
  expect([id, id.toUpperCase()].map(parseUuid)).toEqual([id, id]);
  expect(['', id.slice(1), `${id}0`, id.replaceAll('-', ''), ` ${id}`].map(parseUuid)).toEqual(Array(5).fill(null));
});
