import { expect, test } from 'vitest';
import { makeRecord } from '../../tests/support/call-record.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { recordCall, type CallRecord } from './record-call.ts';

const database = useTestDatabase();

/** Records the call once for each of the changes, and tells what the log holds then. */
async function recordAll(...changes: Partial<CallRecord>[]) {
  const paid = makeRecord();
  for (const change of changes) {
    await recordCall(database.current.system, { ...paid, ...change });
  }
  const { rows } = await database.current.system.query(
    `SELECT status, trim_scale(cost_usd)::text AS cost, attempts, transaction, amount_atomic::text AS amount, model,
            finish_reason, evidence->>'generationId' AS generation
     FROM x402_prompt_template_usage_logs WHERE call_id = $1`,
    [paid.callId],
  );
  return rows[0];
}

const unpaid = { transaction: null, amountAtomic: 0n };
const nothingKnown = { costUsd: null, attempts: 0, evidence: {} };

test('what every run of an owed call has cost is added up', async () => {
  const logged = await recordAll(
    { status: 'owed', costUsd: '0.02', attempts: 2 },
    { status: 'owed', costUsd: '0.03', attempts: 1 },
    { status: 'success', costUsd: '0.0005', attempts: 1 },
  );
  expect(logged).toMatchObject({ status: 'success', cost: '0.0505', attempts: 4 });
});

test('what a failed run has cost stays known when its payment is found afterwards', async () => {
  const logged = await recordAll({ ...unpaid, status: 'failed', costUsd: '0.02' }, { ...nothingKnown, status: 'owed' });
  expect(logged).toMatchObject({
    status: 'owed',
    cost: '0.02',
    attempts: 1,
    model: 'google/gemini-3-flash',
    finish_reason: 'stop',
    generation: 'gen-1',
  });
});

test('one run that went unpaid and is paid after all is not counted twice', async () => {
  const logged = await recordAll(
    { ...unpaid, status: 'unpaid', costUsd: '0.02' },
    { status: 'success', costUsd: '0.02' },
  );
  expect(logged).toMatchObject({ status: 'success', cost: '0.02', attempts: 1 });
});

test('a failure that is told late does not take back a booked payment', async () => {
  const logged = await recordAll({ status: 'owed' }, { ...unpaid, ...nothingKnown, status: 'failed' });
  expect(logged).toMatchObject({ status: 'owed', transaction: '0x01', amount: '10000' });
});
