import { expect, test } from 'vitest';
import { addOwner } from '../../tests/support/notice-outbox.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { observe } from './tell.ts';

const database = useTestDatabase();
const clock = { now: () => Date.parse('2026-03-01T00:00:00Z') };

test('what it takes time to know is asked only for what has risen', async () => {
  const ownerId = await addOwner(database.current);
  const asked: string[] = [];
  const stands = (slug: string) => ({
    ownerId,
    subject: slug,
    level: 1,
    data: async () => {
      asked.push(slug);
      return { slug, calls: 1, since: '2026-03-01T00:00:00Z' };
    },
  });
  const look = (...slugs: string[]) =>
    observe({ tx: database.current.system, clock }, 'calls_owed', { seen: slugs.map(stands), isWhole: false });
  expect(await look('first')).toBe(1);
  expect(await look('first', 'second')).toBe(1);
  expect(asked).toEqual(['first', 'second']);
});
