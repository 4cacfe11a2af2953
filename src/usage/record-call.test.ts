import pg from 'pg';
import { expect, test } from 'vitest';
import { openDatabase } from '#database/index.ts';
import { newId } from '#kit/index.ts';
import { makeRecord } from '../../tests/support/call-record.ts';
import { noteCommits } from '../../tests/support/note-commits.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { recordCall, recordCalls, type CallRecord } from './record-call.ts';

const database = useTestDatabase();

async function asOwner(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  await client.query(sql);
  await client.end();
}

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

test('calls that are recorded together are logged and counted as if each were recorded alone', async () => {
  const resourceId = newId();
  const hostile = { 'a"\\b': 'c\0d\ud800', n: 1e21, deep: [{ x: null }, true] };
  const calls: Partial<CallRecord>[] = [
    {},
    { ...unpaid, payer: null, network: null, isTest: true, isCounted: true },
    { ...unpaid, status: 'failed', problem: 'upstream_failed', cause: 'why\0', isFree: true, payer: null },
    { ...unpaid, ...nothingKnown, status: 'refused', problem: 'unavailable', latencyMs: null, firstOutputMs: null },
    {
      evidence: { ...hostile, model: 'm\0', inputTokens: 1.5, expectedCostUsd: '0.5' },
      costUsd: '1e-7',
      keySource: 'own',
    },
  ];
  const kept = async () => {
    const { system } = database.current;
    const log = await system.query(
      'SELECT (to_jsonb(l) - $2::text[])::text AS row FROM x402_prompt_template_usage_logs l WHERE resource_id = $1 ORDER BY version',
      [resourceId, ['id', 'call_id', 'request_id', 'version_id']],
    );
    const counted = await system.query(
      `SELECT success_count, failure_count, unpaid_count, earned_atomic FROM usage_pending WHERE resource_id = $1
       ORDER BY 1, 2, 3, 4`,
      [resourceId],
    );
    return { log: log.rows, counted: counted.rows };
  };
  const make = () => calls.map((call, index) => makeRecord({ resourceId, version: index + 1, ...call }));
  const { system } = database.current;
  await Promise.all(make().map((record) => recordCall(system, record)));
  const alone = await kept();
  expect(alone.log).toHaveLength(calls.length);
  await asOwner(`DELETE FROM x402_prompt_template_usage_logs; DELETE FROM usage_pending`);
  const together = make();
  await recordCalls(system, together);
  await recordCalls(system, together);
  expect(await kept()).toEqual(alone);
});

test('only the commit of calls that nobody pays waits for no disk, and only that one', async () => {
  const noted = await noteCommits(database.url);
  const one = openDatabase({ url: database.url, systemConnections: 1 });
  const nobody = { ...unpaid, payer: null, network: null };
  const together = [makeRecord(nobody), makeRecord({ ...nobody, isTest: true })];
  const mixed = [makeRecord(nobody), makeRecord({ ...unpaid, status: 'failed' })];
  const alone = makeRecord(nobody);
  await recordCalls(one.system, together);
  const { rows } = await one.system.query<{ synchronous_commit: string }>('SHOW synchronous_commit');
  await recordCalls(one.system, mixed);
  await recordCall(one.system, alone);
  await one.close();
  expect(rows).toEqual([{ synchronous_commit: 'on' }]);
  const settings = new Map((await noted.list()).map(({ callId, synchronousCommit }) => [callId, synchronousCommit]));
  const toSettings = (records: readonly CallRecord[]) => records.map(({ callId }) => settings.get(callId));
  expect(toSettings(together)).toEqual(['off', 'off']);
  expect(toSettings([...mixed, alone])).toEqual(['on', 'on', 'on']);
});
