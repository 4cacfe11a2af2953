import { beforeAll, expect, test } from 'vitest';
import { newId, scopes, type User } from '#kit/index.ts';
import { useOlderDatabase } from '../../tests/support/older-database.ts';
import { perform } from '../../tests/support/perform.ts';
import { closeHours } from './close-hours.ts';
import { getBreakdown, getSeries, getSummary } from './index.ts';

const database = useOlderDatabase('0037');
const summed = useOlderDatabase('0085');
const byCell = useOlderDatabase('0087');
const ada: User = {
  kind: 'user',
  userId: 'user_ada',
  username: 'ada',
  email: 'ada@example.com',
  isAdmin: false,
  via: 'session',
  scopes,
};

beforeAll(async () => {
  for (const isTest of [false, false, true]) {
    await database.current.system.query(
      `INSERT INTO x402_prompt_template_usage_logs (call_id, resource_id, version_id, version, owner_id, payer, request_id,
         status, cost_usd, latency_ms, amount_atomic, network, transaction, is_test, is_simulated, is_free, at, evidence)
       VALUES ($1, $2, $2, 1, $3, '0xa', 'r', 'success', 0.002, 100, 10000, 'eip155:84532', '0x1', $4, true, false, $5, '{}')`,
      [newId(), newId(), ada.userId, isTest, '2026-11-20T10:00:00Z'],
    );
  }
  await database.update();
});

test('what was logged before there were dashboards is in them, tests left out, before and after it is added up', async () => {
  const deps = { clock: { now: () => Date.parse('2026-11-21T00:00:00Z') } };
  for (const _ of ['before', 'after']) {
    const { current } = await perform(getSummary, [deps, ada, database.current], {});
    expect(current).toMatchObject({ calls: 2, revenueUsdc: '0.02', costUsd: '0.004', marginUsd: '0.016', payers: 1 });
    await closeHours(database.current);
  }
});

test('what was added up before payers were told apart is added up anew, once, by version, hour and payer', async () => {
  const { system } = summed.current;
  const [resourceId, payers] = [newId(), ['0xa', '0xb', '0xb', null]];
  for (const [index, payer] of payers.entries()) {
    await system.query(
      `INSERT INTO x402_prompt_template_usage_logs (call_id, resource_id, version_id, version, owner_id, payer, request_id,
         status, cost_usd, latency_ms, amount_atomic, network, transaction, is_test, is_simulated, is_free, at, evidence)
       VALUES ($1, $2, $2, $5, $3, $4, 'r', 'success', 0.002, 100, 10000, 'eip155:84532', $6, false, true, false, $7, '{}')`,
      [newId(), resourceId, ada.userId, payer, 1 + (index % 2), payer && '0x1', `2026-11-20T1${index}:10:00Z`],
    );
  }
  // As the rollup of that version left the first two.
  await system.query(
    `WITH taken AS (DELETE FROM usage_changes WHERE id IN (SELECT id FROM usage_changes ORDER BY id LIMIT 2) RETURNING *)
     INSERT INTO usage_hours (owner_id, hour, resource_id, version, model, successes, failures, unpaid, refused, owed,
       earned_atomic, own_cost_usd, platform_cost_usd, unknown_costs, input_tokens, output_tokens)
     SELECT owner_id, date_trunc('hour', at), resource_id, version, model, 1, 0, 0, 0, 0, earned_atomic, own_cost_usd, 0, 0, 0, 0
     FROM taken`,
  );
  await summed.update();
  const deps = { clock: { now: () => Date.parse('2026-11-21T00:00:00Z') } };
  const place: [typeof deps, User, typeof summed.current] = [deps, ada, summed.current];
  for (const _ of ['before', 'after']) {
    const { current } = await perform(getSummary, place, {});
    expect(current).toMatchObject({ calls: 4, revenueUsdc: '0.03', costUsd: '0.008', payers: 2 });
    const { items } = await perform(getBreakdown, place, { by: 'version' });
    expect(items.map(({ version, calls, payers: count }) => [version, calls, count])).toEqual([
      [1, 2, 2],
      [2, 2, 1],
    ]);
    const { items: paying } = await perform(getBreakdown, place, { by: 'payer' });
    const latencyMs = { p50: 102, p95: 102, p99: 102 };
    expect(paying).toMatchObject([
      { payer: '0xb', calls: 2, latencyMs },
      { payer: '0xa', calls: 1, latencyMs },
    ]);
    const { items: hours } = await perform(getSeries, place, { interval: 'hour', from: '2026-11-20T10:00:00Z' });
    expect(hours.slice(0, 4).map(({ payers: count }) => count)).toEqual([1, 1, 1, 0]);
    await closeHours(summed.current);
  }
});

test('what was added up by payer and cell is added up by payer and day', async () => {
  const [one, other] = [newId(), newId()];
  const rows = [
    { payer: '0xa', day: '2026-11-19', resourceId: one, version: 1, latencies: '{512,550}', hour: 5 },
    { payer: '0xa', day: '2026-11-20', resourceId: one, version: 1, latencies: '{561}', hour: 10 },
    { payer: '0xa', day: '2026-11-20', resourceId: one, version: 2, latencies: '{}', hour: 12 },
    { payer: '0xa', day: '2026-11-20', resourceId: other, version: 1, latencies: '{561,1074}', hour: 11 },
    { payer: '0xb', day: '2026-11-20', resourceId: other, version: 1, latencies: '{561}', hour: 11 },
  ];
  for (const { payer, day, resourceId, version, latencies, hour } of rows) {
    await byCell.current.system.query(
      `INSERT INTO usage_payers (owner_id, payer, day, resource_id, version, model, successes, failures, unpaid, refused, owed,
         earned_atomic, own_cost_usd, platform_cost_usd, unknown_costs, input_tokens, output_tokens, latencies, first_outputs,
         last_called_at)
       VALUES ($1, $2, $3::date, $4, $5, 'm', 3, 1, 1, 1, 1, 30000, 0.002, 0.001, 1, 7, 5, $6, '{}', $3::date + $7 * interval '1 hour')`,
      [ada.userId, payer, day, resourceId, version, latencies, hour],
    );
  }
  await byCell.update();
  const deps = { clock: { now: () => Date.parse('2026-11-21T00:00:00Z') } };
  const from = '2026-11-20T00:00:00Z';
  const { items, total } = await perform(getBreakdown, [deps, ada, byCell.current], { by: 'payer', from });
  expect(total).toBe(2);
  const counts = { calls: 12, successes: 9, failures: 3, unpaid: 3, refused: 3, owed: 3, unknownCostCalls: 3 };
  const amounts = {
    revenueUsdc: '0.09',
    costUsd: '0.006',
    platformCostUsd: '0.003',
    inputTokens: 21,
    outputTokens: 15,
  };
  expect(items).toMatchObject([
    {
      payer: '0xa',
      ...counts,
      ...amounts,
      latencyMs: { p50: 92, p95: 102, p99: 102 },
      lastCalledAt: '2026-11-20T12:00:00.000Z',
      before: { calls: 4, revenueUsdc: '0.03' },
    },
    { payer: '0xb', calls: 4, revenueUsdc: '0.03', lastCalledAt: '2026-11-20T11:00:00.000Z', before: { calls: 0 } },
  ]);
});
