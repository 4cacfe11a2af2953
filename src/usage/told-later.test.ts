import fc from 'fast-check';
import { expect, test } from 'vitest';
import { newId, type User } from '#kit/index.ts';
import { makeRecord } from '../../tests/support/call-record.ts';
import { perform } from '../../tests/support/perform.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { closeCostLookup, takeCostLookups } from './cost-lookups.ts';
import { getSummary } from './get-summary.ts';
import { listUsage } from './list-usage.ts';
import { recordCall } from './record-call.ts';

/* Costs that are told after the call, and what is measured of a call's use. */
const database = useTestDatabase();
const system = () => database.current.system;
const AT = new Date('2026-11-21T11:00:00.000Z');
const clock = { now: () => AT.getTime() + 3_600_000 };

function user(userId: string): User {
  return { kind: 'user', userId, username: userId, email: '', isAdmin: false, via: 'session', scopes: ['usage:read'] };
}
const list = async (ownerId: string) => (await perform(listUsage, [{}, user(ownerId), database.current], {})).items;
const summarize = async (ownerId: string) =>
  (
    await perform(getSummary, [{ clock }, user(ownerId), database.current], {
      from: '2026-11-21T00:00:00Z',
      to: '2026-11-22T00:00:00Z',
    })
  ).current;

const untold = (ownerId: string, generationId: string | null, more: object = {}) =>
  makeRecord({ ownerId, at: AT, costUsd: null, evidence: { model: 'm', generationId }, ...more });

test('a run that told no cost is asked for, and what is found counts in the log and in every sum, once', async () => {
  const ownerId = newId();
  const call = untold(ownerId, 'gen-a');
  await recordCall(system(), call);
  expect(await list(ownerId)).toMatchObject([{ costUsd: null, costState: 'asked', marginUsd: null }]);
  expect(await summarize(ownerId)).toMatchObject({ unknownCostCalls: 1, marginUsd: '0.01' });
  const [due] = await takeCostLookups(system(), 10);
  expect(due).toMatchObject({ callId: call.callId, generationId: 'gen-a', ownerId, isLate: false });
  // It waits before it is due again.
  expect(await takeCostLookups(system(), 10)).toEqual([]);
  for (const _ of [1, 2]) {
    await closeCostLookup(system(), { callId: call.callId, generationId: 'gen-a' }, '0.004');
  }
  expect(await list(ownerId)).toMatchObject([{ costUsd: '0.004', costState: 'found', marginUsd: '0.006' }]);
  expect(await summarize(ownerId)).toMatchObject({ unknownCostCalls: 0, costUsd: '0.004', marginUsd: '0.006' });
});

test('a call that is logged anew with the same run is not asked for again', async () => {
  const ownerId = newId();
  const call = untold(ownerId, 'gen-b', { status: 'unpaid', transaction: null, amountAtomic: 0n });
  await recordCall(system(), call);
  await closeCostLookup(system(), { callId: call.callId, generationId: 'gen-b' }, '0.004');
  await recordCall(system(), { ...call, status: 'success', transaction: '0x02', amountAtomic: 10_000n });
  expect(await list(ownerId)).toMatchObject([{ status: 'success', costUsd: '0.004', costState: 'found' }]);
  expect(await takeCostLookups(system(), 10)).toEqual([]);
});

test('a run again of an owed call adds what its own lookup finds; what nobody tells stays unknown', async () => {
  const ownerId = newId();
  const call = untold(ownerId, 'gen-c', { status: 'owed' });
  await recordCall(system(), call);
  await recordCall(system(), { ...call, status: 'success', evidence: { model: 'm', generationId: 'gen-d' } });
  await closeCostLookup(system(), { callId: call.callId, generationId: 'gen-d' }, '0.003');
  expect(await list(ownerId)).toMatchObject([{ costUsd: '0.003', costState: 'asked' }]);
  await system().query(
    `UPDATE usage_cost_lookups SET asked_since = now() - interval '25 hours', next_at = now() WHERE call_id = $1`,
    [call.callId],
  );
  expect(await takeCostLookups(system(), 10)).toMatchObject([{ generationId: 'gen-c', isLate: true }]);
  await closeCostLookup(system(), { callId: call.callId, generationId: 'gen-c' }, null);
  expect(await list(ownerId)).toMatchObject([{ costUsd: '0.003', costState: 'unknown' }]);
});

test.each([
  ['a cost that was told', { costUsd: '0', evidence: { generationId: 'gen-x' } }],
  ['no generation', { evidence: { generationId: null } }],
  ['an upstream that is not OpenRouter', { evidence: { generationId: 'chatcmpl-1' } }],
  ['two turns of one answer', { evidence: { generationId: 'gen-y', isRepaired: true } }],
])('nothing is asked for with %s', async (_, more) => {
  const ownerId = newId();
  await recordCall(system(), untold(ownerId, null, more));
  expect(await list(ownerId)).toMatchObject([{ costState: null }]);
  expect(await takeCostLookups(system(), 10)).toEqual([]);
});

const units = fc.bigInt({ min: 0n, max: 10n ** 9n });
const places = (digits: bigint, count: number): string =>
  `${digits / 10n ** BigInt(count)}.${(digits % 10n ** BigInt(count)).toString().padStart(count, '0')}`;

test('what is measured of a use is the exact sum, rounded up to one atomic unit, and at most the price', async () => {
  const anyUse = fc.record({
    base: units,
    perCost: units,
    perIn: units,
    perOut: units,
    cost: units,
    input: fc.nat(1e6),
    output: fc.nat(1e6),
    max: units,
  });
  const uses = fc.sample(anyUse, { numRuns: 60, seed: 7 });
  const ownerId = newId();
  const expected = new Map<string, string>();
  for (const { base, perCost, perIn, perOut, cost, input, output, max } of uses) {
    const call = makeRecord({
      ownerId,
      costUsd: places(cost, 9),
      evidence: { inputTokens: input, outputTokens: output },
      measuredBy: {
        baseUsdc: places(base, 9),
        perCostUsd: places(perCost, 8),
        perInputToken: places(perIn, 15),
        perOutputToken: places(perOut, 15),
        maxUsdc: places(max, 6),
      },
    });
    await recordCall(system(), call);
    // In units of 1e-17.
    const sum = base * 10n ** 8n + perCost * cost + (perIn * BigInt(input) + perOut * BigInt(output)) * 100n;
    const up = (sum + 10n ** 11n - 1n) / 10n ** 11n;
    expected.set(call.callId, places(up < max ? up : max, 6));
  }
  const items = await list(ownerId);
  const found = items.map(({ callId, measuredUsdc }) => [callId, Number(measuredUsdc)]);
  expect(found.length).toBeGreaterThan(0);
  expect(found).toEqual(items.map(({ callId }) => [callId, Number(expected.get(callId))]));
});

test('a use that needs the cost is not measured before it is told; what failed is worth nothing', async () => {
  const ownerId = newId();
  const measuredBy = { baseUsdc: '0.001', perCostUsd: '1.5', perInputToken: '0', perOutputToken: '0', maxUsdc: '0.02' };
  const call = untold(ownerId, 'gen-m', { measuredBy });
  await recordCall(system(), call);
  expect(await list(ownerId)).toMatchObject([{ measuredUsdc: null }]);
  await closeCostLookup(system(), { callId: call.callId, generationId: 'gen-m' }, '0.004');
  expect(await list(ownerId)).toMatchObject([{ measuredUsdc: '0.007' }]);
  const other = newId();
  await recordCall(system(), makeRecord({ ownerId: other, status: 'failed', transaction: null, measuredBy }));
  expect(await list(other)).toMatchObject([{ measuredUsdc: '0' }]);
});
