import pg from 'pg';
import { expect, test } from 'vitest';
import { openDatabase } from '#database/index.ts';
import { newId } from '#kit/index.ts';
import { makeRecord } from '../../tests/support/call-record.ts';
import { noteCommits } from '../../tests/support/note-commits.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { recordCall, type CallRecord } from './record-call.ts';
import { recordUnpaid } from './record-unpaid.ts';

const database = useTestDatabase();
const unpaid = { payer: null, network: null, transaction: null, amountAtomic: 0n };

async function asOwner(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  await client.query(sql);
  await client.end();
}

test('calls that are recorded together are logged and counted as if each were recorded alone', async () => {
  const resourceId = newId();
  const hostile = { 'a"\\b': 'c\0d\ud800', n: 1e21, deep: [{ x: null }, true] };
  const calls: Partial<CallRecord>[] = [
    { isFree: true },
    { isTest: true, isCounted: true },
    { status: 'failed', problem: 'upstream_failed', cause: 'why\0', isFree: true },
    { costUsd: null, attempts: 0, evidence: {}, status: 'refused', problem: 'unavailable', latencyMs: null },
    { costUsd: null, isFree: true, evidence: { generationId: 'gen-asked' } },
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
    const asked = await system.query(
      `SELECT l.version, c.generation_id, c.owner_id, c.key_source FROM usage_cost_lookups c
       JOIN x402_prompt_template_usage_logs l USING (call_id) WHERE l.resource_id = $1 ORDER BY 1`,
      [resourceId],
    );
    return { log: log.rows, counted: counted.rows, asked: asked.rows };
  };
  const make = () => calls.map((call, index) => makeRecord({ ...unpaid, resourceId, version: index + 1, ...call }));
  const { system } = database.current;
  await Promise.all(make().map((record) => recordCall(system, record)));
  const alone = await kept();
  expect(alone.log).toHaveLength(calls.length);
  expect(alone.asked).toHaveLength(1);
  await asOwner(`DELETE FROM x402_prompt_template_usage_logs; DELETE FROM usage_pending`);
  const together = make();
  await recordUnpaid(system, together);
  await recordUnpaid(system, together);
  expect(await kept()).toEqual(alone);
});

test('its commit waits for no disk, and no other one does so', async () => {
  const noted = await noteCommits(database.url);
  const one = openDatabase({ url: database.url, systemConnections: 1 });
  const together = [makeRecord(unpaid), makeRecord({ ...unpaid, isTest: true })];
  const alone = makeRecord(unpaid);
  await recordUnpaid(one.system, together);
  const { rows } = await one.system.query<{ synchronous_commit: string }>('SHOW synchronous_commit');
  await recordCall(one.system, alone);
  await one.close();
  expect(rows).toEqual([{ synchronous_commit: 'on' }]);
  const settings = new Map((await noted.list()).map(({ callId, synchronousCommit }) => [callId, synchronousCommit]));
  const toSettings = (records: readonly CallRecord[]) => records.map(({ callId }) => settings.get(callId));
  expect(toSettings(together)).toEqual(['off', 'off']);
  expect(toSettings([alone])).toEqual(['on']);
});

test.each([{ payer: '0x12' }, { network: 'eip155:84532' }, { transaction: '0x01' }, { amountAtomic: 1n }])(
  'a call that concerns a payment ($payer $network $transaction $amountAtomic) is refused, whatever it is recorded with',
  async (payment) => {
    const records = [makeRecord(unpaid), makeRecord({ ...unpaid, ...payment })];
    await expect(recordUnpaid(database.current.system, records)).rejects.toThrow(RangeError);
    const { rows } = await database.current.system.query(
      'SELECT call_id FROM x402_prompt_template_usage_logs WHERE call_id = ANY ($1)',
      [records.map(({ callId }) => callId)],
    );
    expect(rows).toEqual([]);
  },
);
