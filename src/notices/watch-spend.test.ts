import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as outbox from '../../tests/support/notice-outbox.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { tellCapReached } from './tell-refusal.ts';
import { watchSpend } from './watch-spend.ts';
import type { WatchedCap } from './watch-sources.ts';

const database = useTestDatabase();
const clock = { now: () => Date.parse('2026-03-01T12:00:00Z') };

async function openCap() {
  const cap: WatchedCap = {
    ownerId: await outbox.addOwner(database.current),
    capId: crypto.randomUUID(),
    scope: 'key',
    subjectId: '',
    subject: '',
    isEach: false,
    perDayUsd: '1',
    spentUsd: '0',
    day: '2026-03-01',
    resetsAt: '2026-03-02T00:00:00Z',
  };
  const look = (changes: Partial<WatchedCap>) => {
    const listUsedCaps = async () => [{ ...cap, ...changes }];
    const one = () => watchSpend({ database: database.current, clock, sources: { listUsedCaps } });
    // Two processes.
    return Promise.all([one(), one()]);
  };
  const told = async () => {
    const { rows } = await database.current.system.query<{ title: string; body: string }>(
      'SELECT title, body FROM notices WHERE owner_id = $1 ORDER BY id',
      [cap.ownerId],
    );
    return rows;
  };
  return { cap, look, told };
}

test('whatever calls under way take and give back, each threshold is told once a day, and none after a higher one', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 60, max: 110 }), { maxLength: 8 }), async (percents) => {
      const { look, told } = await openCap();
      const expected: number[] = [];
      for (const percent of percents) {
        await look({ spentUsd: (percent / 100).toFixed(2) });
        const reached = percent >= 90 ? 90 : percent >= 75 ? 75 : 0;
        if (reached > Math.max(0, ...expected)) {
          expected.push(reached);
        }
      }
      expect((await told()).map(({ title }) => Number.parseInt(title, 10))).toEqual(expected);
    }),
    { numRuns: 20 },
  );
});

test('another number and another day are told anew; what has refused a call is not told to be nearly used up', async () => {
  const { cap, look, told } = await openCap();
  await look({ spentUsd: '0.8' });
  await look({ spentUsd: '8', perDayUsd: '10' });
  await look({ spentUsd: '0.8', day: '2026-03-02' });
  expect(await told()).toHaveLength(3);
  const reached = {
    heldUsd: '0.3',
    refused: { slug: 'essay', worstUsd: '0.2', runs: 1 },
    resources: ['essay', 'poem'],
  };
  const full = { ...cap, spentUsd: '0.9', day: '2026-03-03', ...reached };
  const tellFull = () => tellCapReached({ tx: database.current.system, clock }, full);
  await Promise.all([tellFull(), tellFull()]);
  await look({ spentUsd: '0.95', day: '2026-03-03' });
  const all = await told();
  expect(all).toHaveLength(4);
  expect(all[3]).toEqual({
    title: 'What you spend a day on your own keys is reached',
    body: 'You spend at most 1 USD; 0.9 are taken, 0.3 of them held for calls under way. A call of essay, which may cost up to 0.2 USD, was refused. Not sold for it: essay, poem. It ends by itself at 2026-03-02T00:00:00Z, or when calls did cost less than was held for them. To go on before, raise it: PUT /api/user/spend-caps with "scope": "key" and another "perDayUsd".',
  });
});
