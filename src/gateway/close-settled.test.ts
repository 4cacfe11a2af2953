import { expect, test } from 'vitest';
import { insertCall } from '../../tests/support/insert-call.ts';
import { makeRecord } from '../../tests/support/call-record.ts';
import { makeAccount, makeOffer, pay } from '../../tests/support/pay.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { closeSettled } from './close-settled.ts';

const database = useTestDatabase();
const TRANSACTION = `0x${'ab'.repeat(32)}`;

test('what was charged is booked and logged, not what the payment could have been charged at most', async () => {
  const offer = makeOffer({ amountAtomic: 10_000n });
  const payment = await pay(makeAccount(), offer);
  const callId = await insertCall(database.current, { state: 'settling', payment, offer });
  const record = { ...makeRecord({ callId }), amountAtomic: '10000' };
  await database.current.system.query('UPDATE calls SET amount_atomic = 25000, record = $2 WHERE id = $1', [
    callId,
    JSON.stringify({ record, receipt: { paidUsdc: '0.01', callId }, timeoutSeconds: 60 }),
  ]);
  const settled = { callId, by: 'confirm', transaction: TRANSACTION, runLeftMs: 0 } as const;
  expect(await closeSettled({ database: database.current }, settled)).toMatchObject({ paidUsdc: '0.01' });
  const { rows } = await database.current.system.query(
    `SELECT amount_atomic::text AS booked, (SELECT amount_atomic::text FROM x402_prompt_template_usage_logs u
     WHERE u.call_id = l.call_id) AS logged FROM ledger_entries l WHERE call_id = $1 AND amount_atomic > 0`,
    [callId],
  );
  expect(rows).toEqual([{ booked: '10000', logged: '10000' }]);
});
