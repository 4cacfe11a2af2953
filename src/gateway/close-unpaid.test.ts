import { expect, test } from 'vitest';
import { newId } from '#kit/index.ts';
import { openSpendHold } from '#usage/index.ts';
import { makeRecord } from '../../tests/support/call-record.ts';
import { insertCall } from '../../tests/support/insert-call.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { closeUnpaid } from './close-unpaid.ts';

/* What a call that is not paid in the end leaves under the caps of its creator. */
const database = useTestDatabase();

const DENIED = { state: 'settling', name: 'deny' } as const;
const EXPIRED = { state: 'pending', name: 'expire' } as const;

test.each([
  { ...DENIED, what: 'was to be paid before it ran', point: 'upfront', costUsd: null, spent: '0' },
  { ...EXPIRED, what: 'was to be paid before it ran', point: 'upfront', costUsd: null, spent: '0' },
  { ...EXPIRED, what: 'has run and told no cost', point: 'on_success', costUsd: null, spent: '0.25' },
  { ...DENIED, what: 'has run', point: 'at_first_output', costUsd: '0.1', spent: '0.1' },
])('$name: a call that $what counts $spent USD', async ({ state, name, point, costUsd, spent }) => {
  const { current } = database;
  const callId = await insertCall(current, { state });
  const ownerId = newId();
  const { at, ...record } = makeRecord({ callId, ownerId, transaction: null, at: new Date(), evidence: {}, costUsd });
  const stored = {
    record: { ...record, amountAtomic: '10000', at: at.toISOString() },
    receipt: {},
    timeoutSeconds: 60,
    settlementPoint: point,
  };
  await current.system.query('UPDATE calls SET record = $2, transaction = NULL WHERE id = $1', [
    callId,
    JSON.stringify(stored),
  ]);
  await current.system.query(
    `INSERT INTO spend_caps (id, owner_id, scope, subject, per_day_usd) VALUES ($1, $2, 'key', '', 1)`,
    [newId(), ownerId],
  );
  await openSpendHold({ database: current, clock: { now: () => 0 } }).hold({ ...record, worstUsd: '0.25' });
  expect(await closeUnpaid({ database: current }, { callId, name }, 'insufficient_funds')).toBe(true);
  const { rows } = await current.system.query(
    'SELECT trim_scale(usd)::text AS usd FROM spend_days WHERE owner_id = $1',
    [ownerId],
  );
  expect(rows).toEqual([{ usd: spent }]);
});
