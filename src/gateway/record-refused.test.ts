import { expect, test } from 'vitest';
import { openDatabase } from '#database/index.ts';
import { newId } from '#kit/index.ts';
import { getStats } from '#usage/index.ts';
import { publishedVersion } from '../../tests/support/execution-deps.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { recordRefused } from './record-refused.ts';

const database = useTestDatabase();
const clock = { nowMs: Date.parse('2026-01-02T03:04:05.000Z'), now: () => clock.nowMs };
const why = { problem: 'unavailable', cause: 'model_gone: Choose another.' };

const make = (priceAtomic = 10_000n) => publishedVersion({ resourceId: newId(), priceAtomic });
const by = (clientAddress: string) => ({ requestId: 'r', clientAddress });

async function readRows(resourceId: string) {
  const { rows } = await database.current.system.query(
    `SELECT status, problem, cause, payer, is_free FROM x402_prompt_template_usage_logs WHERE resource_id = $1`,
    [resourceId],
  );
  return rows;
}

const countFailures = async (resourceId: string) =>
  (await getStats(database.current.system, [resourceId], new Date(clock.nowMs))).get(resourceId)?.failure_count_30d;

test('a flood of refusals is one row a minute for each cause and asker, over all processes', async () => {
  const elsewhere = openDatabase({ url: database.url, systemConnections: 2, userConnections: 1 });
  const version = make();
  const asked = { request: by('192.0.2.1'), version, payer: null };
  const both = [database.current, elsewhere].map((one) => ({ database: one, clock }));
  await Promise.all(
    Array.from({ length: 40 }, (_, at) => recordRefused(both[at % 2] ?? { database: elsewhere, clock }, asked, why)),
  );
  expect(await readRows(version.resourceId)).toEqual([{ status: 'refused', ...why, payer: null, is_free: false }]);
  const deps = { database: elsewhere, clock };
  await recordRefused(deps, { ...asked, request: by('192.0.2.2') }, why);
  await recordRefused(deps, { ...asked, payer: '0xabc' }, why);
  await recordRefused(deps, asked, { ...why, cause: 'key_missing: Store one.' });
  clock.nowMs += 60_000;
  await recordRefused(deps, asked, why);
  expect(await readRows(version.resourceId)).toHaveLength(5);
  await elsewhere.close();
});

test('addresses that are made up do not make rows without end', async () => {
  const version = make();
  for (let at = 0; at < 200; at += 1) {
    await recordRefused(
      { database: database.current, clock },
      { request: by(`2001:db8::${at}`), version, payer: null },
      why,
    );
  }
  expect(await readRows(version.resourceId)).toHaveLength(60);
});

test('who wanted the answer counts in the rate that buyers see, who only asked for the price does not', async () => {
  const [priced, free] = [make(), make(0n)];
  const deps = { database: database.current, clock };
  await recordRefused(deps, { request: by('192.0.2.1'), version: priced, payer: null }, why);
  expect(await countFailures(priced.resourceId)).toBe(0);
  await recordRefused(deps, { request: by('192.0.2.1'), version: priced, payer: '0xabc' }, why);
  await recordRefused(deps, { request: by('192.0.2.1'), version: free, payer: null }, why);
  expect([await countFailures(priced.resourceId), await countFailures(free.resourceId)]).toEqual([1, 1]);
});

test('however many invented wallets sign payments, a resource that cannot run fails once a minute in each process', async () => {
  const elsewhere = openDatabase({ url: database.url, systemConnections: 2, userConnections: 1 });
  const version = make();
  const [here, there] = [database.current, elsewhere].map((one) => ({ database: one, clock }));
  const refuse = (deps: typeof here, at: number) =>
    recordRefused(deps ?? { database: elsewhere, clock }, { request: by('192.0.2.1'), version, payer: `0x${at}` }, why);
  await Promise.all([1, 2, 3, 4, 5].map((at) => refuse(here, at)));
  expect(await countFailures(version.resourceId)).toBe(1);
  await Promise.all([6, 7, 8].map((at) => refuse(there, at)));
  expect(await countFailures(version.resourceId)).toBe(2);
  expect(await readRows(version.resourceId)).toHaveLength(8);
  clock.nowMs += 60_000;
  await refuse(here, 1);
  expect(await countFailures(version.resourceId)).toBe(3);
  await elsewhere.close();
});

test('what its owner has paused is logged for them and fails nobody', async () => {
  const version = make();
  const deps = { database: database.current, clock };
  const paused = { problem: 'unavailable', cause: 'Paused by its creator.', isCounted: false };
  await recordRefused(deps, { request: by('192.0.2.1'), version, payer: '0xabc' }, paused);
  expect(await readRows(version.resourceId)).toHaveLength(1);
  expect(await countFailures(version.resourceId)).toBe(0);
});

test('a payment that was refused for the payer’s sake is no failure of the resource', async () => {
  const version = make();
  const refused = { problem: 'invalid_exact_evm_payload_signature', cause: 'The signature is not the payer’s.' };
  await recordRefused(
    { database: database.current, clock },
    { request: by('192.0.2.1'), version, payer: '0xabc' },
    refused,
  );
  expect(await countFailures(version.resourceId)).toBe(0);
});
