import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { newId, Problem, type User } from '#kit/index.ts';
import { makeRecord } from '../../tests/support/call-record.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { perform } from '../../tests/support/perform.ts';
import { exportUsage } from './export-usage.ts';
import { listUsage } from './list-usage.ts';
import { recordCall, type CallRecord } from './record-call.ts';

const database = useTestDatabase();

function user(userId: string): User {
  return { kind: 'user', userId, username: userId, email: '', isAdmin: false, via: 'session', scopes: ['usage:read'] };
}

async function record(calls: readonly CallRecord[]): Promise<void> {
  await Promise.all(calls.map((call) => recordCall(database.current.system, call)));
}

function list(userId: string, query: Record<string, unknown> = {}) {
  return perform(listUsage, [{}, user(userId), database.current], query);
}

async function csv(userId: string, query: Record<string, unknown> = {}): Promise<string> {
  return text(await perform(exportUsage, [{ database: database.current }, user(userId), database.current], query));
}

test('shows the creator cause, cost and margin in exact decimals', async () => {
  const ownerId = newId();
  const call = makeRecord({ ownerId, amountAtomic: 10_000n, costUsd: '0.000000123456789' });
  const failed = makeRecord({
    ownerId,
    status: 'failed',
    amountAtomic: 0n,
    transaction: null,
    costUsd: '0.002',
    problem: 'upstream_failed',
    cause: 'model_not_found: gone',
  });
  await record([call, failed]);
  const { items } = await list(ownerId);
  expect(items.find((item) => item.callId === call.callId)).toMatchObject({
    earnedUsdc: '0.01',
    costUsd: '0.000000123456789',
    marginUsd: '0.009999876543211',
    payer: call.payer,
  });
  expect(items.find((item) => item.callId === failed.callId)).toMatchObject({
    earnedUsdc: '0',
    marginUsd: '-0.002',
    cause: 'model_not_found: gone',
  });
});

test.each([
  ['1.2e-05', '0.000012', '0.009988'],
  ['3E-7', '0.0000003', '0.0099997'],
  ['1e+1', '10', '-9.99'],
])('a cost that is written as %s is kept, and counts in the margin', async (costUsd, shown, marginUsd) => {
  const ownerId = newId();
  await record([makeRecord({ ownerId, amountAtomic: 10_000n, costUsd })]);
  expect((await list(ownerId)).items).toMatchObject([{ costUsd: shown, marginUsd }]);
});

test('shows nobody the calls of another creator', async () => {
  const ownerId = newId();
  const call = makeRecord({ ownerId, callerUserId: 'buyer' });
  await record([call]);
  expect((await list('buyer')).items).toEqual([]);
  expect((await list('buyer', { resourceId: call.resourceId })).items).toEqual([]);
  expect(await csv('buyer')).not.toContain(call.callId);
  const rows = await database.current.asUser('buyer', (tx) =>
    tx.query('SELECT * FROM x402_prompt_template_usage_logs'),
  );
  expect(rows.rowCount).toBe(0);
  const write = database.current.asUser(ownerId, (tx) => recordCall(tx, makeRecord({ ownerId })));
  await expect(write).rejects.toThrow('permission denied');
});

test('pages reach every call once, also where many share a moment', async () => {
  const ownerId = newId();
  const calls = Array.from({ length: 23 }, (_, n) =>
    makeRecord({ ownerId, at: new Date(1_790_000_000_000 + Math.floor(n / 6)) }),
  );
  await record(calls);
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const page = await list(ownerId, { limit: 5, ...(cursor ? { cursor } : {}) });
    seen.push(...page.items.map((item) => item.callId));
    cursor = page.nextCursor;
  } while (cursor);
  expect(seen).toHaveLength(23);
  expect(new Set(seen)).toEqual(new Set(calls.map((call) => call.callId)));
});

test('filters', async () => {
  const ownerId = newId();
  const at = new Date('2026-11-01T00:00:00.000Z');
  const plain = makeRecord({ ownerId, at });
  const test_ = makeRecord({ ownerId, isTest: true, at: new Date('2026-11-02T00:00:00.000Z') });
  const failed = makeRecord({
    ownerId,
    status: 'failed',
    problem: 'upstream_timeout',
    payer: `0x${'a'.repeat(40)}`,
    at: new Date('2026-11-03T00:00:00.000Z'),
  });
  const elsewhere = makeRecord({ ownerId, payer: 'Account7', at: new Date('2026-10-01T00:00:00.000Z') });
  await record([plain, test_, failed, elsewhere]);
  const ids = async (query: Record<string, unknown>): Promise<string[]> =>
    (await list(ownerId, query)).items.map((item) => item.callId);
  expect(await ids({})).toEqual([failed.callId, test_.callId, plain.callId, elsewhere.callId]);
  expect(await ids({ resourceId: plain.resourceId })).toEqual([plain.callId]);
  expect(await ids({ status: 'failed' })).toEqual([failed.callId]);
  expect(await ids({ isTest: 'true' })).toEqual([test_.callId]);
  expect(await ids({ problem: 'upstream_timeout' })).toEqual([failed.callId]);
  expect(await ids({ payer: `0x${'A'.repeat(40)}` })).toEqual([failed.callId]);
  expect(await ids({ payer: 'Account7' })).toEqual([elsewhere.callId]);
  expect(await ids({ from: '2026-11-01T00:00:00Z', to: '2026-11-02T00:00:00Z' })).toEqual([plain.callId]);
});

test.each(['garbage', Buffer.from('["x","y"]').toString('base64url'), Buffer.from('{').toString('base64url')])(
  'refuses the cursor %s',
  async (cursor) => {
    await expect(list(newId(), { cursor })).rejects.toThrow(Problem);
  },
);

test.each([
  { resourceId: 'x' },
  { status: 'lost' },
  { from: 'yesterday' },
  { from: '2026-11-02T00:00:00Z', to: '2026-11-01T00:00:00Z' },
  { payer: '0x12' },
  { payer: 'two words' },
  { isTest: 'maybe' },
  { problem: "'; DROP TABLE" },
  { limit: '0' },
  { limit: '101' },
])('refuses the filters %j', (query) => {
  expect(listUsage.input.safeParse(query).success).toBe(false);
});

test('CSV holds every row, and no cell that a spreadsheet would run', async () => {
  const ownerId = newId();
  const hostile = ['=1+1', '+1', '@SUM(A1)', '-2+3', '\t=1', '\r=1', '\n=1', ' =1', '＝1', 'a,"b"\nc'];
  await record(hostile.map((cause) => makeRecord({ ownerId, status: 'failed', amountAtomic: 0n, cause })));
  const written = await csv(ownerId);
  expect(written.split('\r\n')[0]).toMatch(/^callId,resourceId,versionId,version,at,status/);
  expect(written).toContain(',"a,""b""\nc",');
  expect(written).toContain(',-0.00012,');
  expect(written).not.toMatch(/(^|,|\n)"?[=+@＝\t]/m);
  expect(written).not.toContain(',-2+3');
});

test('CSV streams more rows than a page, honours filters and stops reading when the reader leaves', async () => {
  const ownerId = newId();
  const calls = Array.from({ length: 2100 }, (_, n) => makeRecord({ ownerId, isTest: n % 2 === 0 }));
  await record(calls);
  expect((await csv(ownerId)).trim().split('\r\n')).toHaveLength(2101);
  expect((await csv(ownerId, { isTest: 'true' })).trim().split('\r\n')).toHaveLength(1051);
  const stream = await perform(exportUsage, [{ database: database.current }, user(ownerId), database.current], {});
  for await (const chunk of stream) {
    expect(String(chunk)).toContain('callId');
    break;
  }
  expect(stream.destroyed).toBe(true);
});
