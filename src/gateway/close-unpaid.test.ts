import { expect, test } from 'vitest';
import { newId } from '#kit/index.ts';
import type { SettlementPoint } from '#resources/index.ts';
import { holdSpend } from '#usage/index.ts';
import { makeRecord } from '../../tests/support/call-record.ts';
import { insertCall } from '../../tests/support/insert-call.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { closeUnpaid } from './close-unpaid.ts';

const database = useTestDatabase();

test.each<[string, SettlementPoint, string]>([
  ['was to run behind its payment gives back what it held under a cap', 'upfront', '0'],
  ['has run before it counts at its worst, because nobody knows what it did cost', 'on_success', '0.25'],
])('a call whose payment expired unused and that %s', async (_, settlementPoint, spent) => {
  const { system } = database.current;
  const [ownerId, resourceId] = [newId(), newId()];
  await system.query(`INSERT INTO spend_caps VALUES ($1, $2, 'resource', $3, 1)`, [newId(), ownerId, resourceId]);
  const callId = await insertCall(database.current, { state: 'pending' });
  expect(await holdSpend(system, { callId, ownerId, resourceId, payer: null, worstUsd: '0.25' })).toBe(null);
  const record = { ...makeRecord({ callId, ownerId, resourceId, payer: null, costUsd: null }), amountAtomic: '0' };
  const stored = { record, receipt: {}, timeoutSeconds: 5, settlementPoint };
  await system.query('UPDATE calls SET record = $2 WHERE id = $1', [callId, JSON.stringify(stored)]);
  expect(await closeUnpaid({ database: database.current }, { callId, name: 'expire' }, 'expired')).toBe(true);
  const { rows } = await system.query('SELECT usd FROM spend_days WHERE owner_id = $1', [ownerId]);
  expect(rows).toEqual([{ usd: expect.stringMatching(new RegExp(`^${spent}(\\.0+)?$`)) }]);
});
