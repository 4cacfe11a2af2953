import { beforeAll, expect, test } from 'vitest';
import { newId, scopes, type User } from '#kit/index.ts';
import { useOlderDatabase } from '../../tests/support/older-database.ts';
import { perform } from '../../tests/support/perform.ts';
import { closeHours } from './close-hours.ts';
import { getSummary } from './index.ts';

const database = useOlderDatabase('0037');
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
