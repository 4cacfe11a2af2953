import { columns, countEnded, toRow, type CallRecord, type SqlExecutor } from './record-call.ts';

/** Of the transaction that it is read in, which is this statement alone: its commit waits for no disk (docs/decisions/0051). */
const unhurried = `(SELECT set_config('synchronous_commit', 'off', true)) AS unhurried`;

// Nothing of a call that nobody pays is ever recorded again, so no former row has to be looked for.
const sql = `
WITH recorded AS (
  INSERT INTO x402_prompt_template_usage_logs (${columns.join(', ')})
  SELECT ${columns.join(', ')} FROM json_populate_recordset(NULL::x402_prompt_template_usage_logs, $1), ${unhurried}
  ON CONFLICT (call_id) DO NOTHING
  RETURNING *),
asked AS (
  INSERT INTO usage_cost_lookups (call_id, generation_id, owner_id, key_source)
  SELECT call_id, generation_id, owner_id, key_source FROM recorded WHERE cost_state = 'asked'
  ON CONFLICT DO NOTHING)
${countEnded('true')}`;

/**
 * Writes calls that nobody pays, and that end at the same time, into the log and into the statistics: one statement and one
 * commit for all of them, given a pool. It resolves when they are in the database, which is a moment before they are on its
 * disk. Recording one again changes nothing. Throws for a call that concerns a payment: that is `recordCall`'s.
 */
export async function recordUnpaid(pool: SqlExecutor, records: readonly CallRecord[]): Promise<void> {
  if (!records.every(isOfNobody)) {
    throw new RangeError('A call that concerns a payment is logged with it, and on disk.');
  }
  // What is counted for creators is counted in one order everywhere, so that no two statements wait for each other.
  const inOrder = records.toSorted((a, b) => (a.ownerId < b.ownerId ? -1 : 1));
  await pool.query({ name: 'usage-record-unpaid', text: sql, values: [JSON.stringify(inOrder.map(toRow))] });
}

function isOfNobody({ payer, network, transaction, amountAtomic }: CallRecord): boolean {
  return payer === null && network === null && transaction === null && amountAtomic === 0n;
}
