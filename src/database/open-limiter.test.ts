import fc from 'fast-check';
import { expect, test } from 'vitest';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { openLimiter } from './open-limiter.ts';

const database = useTestDatabase();

test('two processes together allow what a limit says, and of a high one all but what the other may still hold', async () => {
  let number = 0;
  const run = async (points: number, turns: readonly boolean[]): Promise<void> => {
    number += 1;
    const options = { name: `limit-${number}`, points, seconds: 3_600, database: database.current };
    const [first, second] = [openLimiter(options), openLimiter(options)];
    const taken = await Promise.all(turns.map((isFirst) => (isFirst ? first : second).take('key')));
    const allowed = taken.filter(({ isAllowed }) => isAllowed).length;
    expect(allowed).toBeLessThanOrEqual(points);
    expect(allowed).toBeGreaterThanOrEqual(Math.min(turns.length, points - 2 * Math.floor(points / 100)));
    expect(taken.every(({ isAllowed, retryAfterSeconds }) => isAllowed || retryAfterSeconds > 3_000)).toBe(true);
    expect(await first.take('another key')).toMatchObject({ isAllowed: true });
  };
  const asked = fc.array(fc.boolean(), { minLength: 150, maxLength: 400 });
  await fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: 320 }), asked, run), { numRuns: 12 });
});

test('a high limit is written once per block', async () => {
  const { current } = database;
  const limiter = openLimiter({ name: 'blocks', points: 2_000, seconds: 3_600, database: current });
  await Promise.all(Array.from({ length: 25 }, () => limiter.take('key')));
  const { rows } = await current.system.query(`SELECT points FROM rate_limits WHERE key LIKE 'blocks:%'`);
  expect(rows).toEqual([{ points: 40 }]);
});
