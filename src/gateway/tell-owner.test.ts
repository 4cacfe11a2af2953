import { expect, test } from 'vitest';
import { publishedVersion } from '../../tests/support/execution-deps.ts';
import { rememberNews, tellUnready, type OwnerNews, type ReachedCap } from './tell-owner.ts';

const clock = { nowMs: Date.parse('2026-03-01T12:00:00Z'), now: () => clock.nowMs };
const cap: ReachedCap['cap'] = { capId: 'cap', scope: 'payer', subject: '0xa1', isEach: true, perDayUsd: '1' };
const reached = { ownerId: 'ada', resourceId: 'r', slug: 'essay', cap, worstUsd: '0.1', runs: 1 };
const refused = { ownerId: 'ada', resourceId: 'r', slug: 'essay', code: 'margin', cause: 'Too dear.' };

function openNews() {
  const told: string[] = [];
  const state = { isDown: false, isOutdated: false };
  const note = async (line: string): Promise<boolean> => {
    if (state.isDown) {
      throw new Error('The database is gone.');
    }
    if (state.isOutdated) {
      return false;
    }
    told.push(line);
    return true;
  };
  const news: OwnerNews = {
    tellCap: ({ cap: { subject, perDayUsd }, runs }) => note(`${subject} ${perDayUsd} ${runs}`),
    tellRefused: ({ resourceId, code }) => note(`${resourceId} ${code}`),
  };
  return { told, state, news: rememberNews({ clock, log: { warn: () => {} }, news }) };
}

test('a cap is told once a day and number, of each wallet once for all of them, of a batch by itself', async () => {
  const { told, news } = openNews();
  const tell = (changes: Partial<typeof reached>, more: { subject?: string; perDayUsd?: string } = {}) =>
    news.tellCap({ ...reached, ...changes, cap: { ...cap, ...more } });
  await Promise.all([tell({}), tell({}), tell({}, { subject: '0xa2' })]);
  expect(told).toEqual(['0xa1 1 1']);
  await tell({}, { perDayUsd: '2' });
  await tell({ runs: 9 });
  expect(told).toEqual(['0xa1 1 1', '0xa1 2 1', '0xa1 1 9']);
  clock.nowMs += 86_400_000;
  await tell({});
  expect(told).toHaveLength(4);
});

test('what could not be told is told by the next refusal, and fails no call', async () => {
  const { told, state, news } = openNews();
  state.isDown = true;
  await news.tellRefused(refused);
  state.isDown = false;
  await news.tellRefused(refused);
  await news.tellRefused(refused);
  await news.tellRefused({ ...refused, code: 'platform_limit_reached' });
  expect(told).toEqual(['r margin', 'r platform_limit_reached']);
  await expect(rememberNews({ clock, log: { warn: () => {} } }).tellRefused(refused)).resolves.toBe(false);
});

test('a cap that was changed back to what it was while it was to be told is told by the next refusal', async () => {
  const { told, state, news } = openNews();
  state.isOutdated = true;
  expect(await news.tellCap(reached)).toBe(false);
  state.isOutdated = false;
  expect(await news.tellCap(reached)).toBe(true);
  expect(told).toEqual(['0xa1 1 1']);
});

test('a cap is not told a second time as a refusal', async () => {
  const { told, news } = openNews();
  const version = publishedVersion({ resourceId: 'r' });
  await tellUnready({ news }, version, { cause: 'spend_cap_reached: You spend at most 1 USD.' });
  await tellUnready({ news }, version, { cause: 'margin: It costs more than it brings.' });
  expect(told).toEqual(['r margin']);
});
