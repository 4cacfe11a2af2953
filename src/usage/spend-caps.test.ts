import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type Database } from '#database/index.ts';
import { newId } from '#kit/index.ts';
import { makeRecord } from '../../tests/support/call-record.ts';
import { capSpending } from '../../tests/support/cap-spending.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { closeCostLookup } from './cost-lookups.ts';
import { recordCall } from './record-call.ts';
import { recordUnpaid } from './record-unpaid.ts';
import { openSpendHold } from './hold-spend.ts';
import { findFullCap, listUsedCaps, readCapUse, releaseSpend } from './spend-caps.ts';

/* Calls of two processes under what their creator allows to be spent. */
const database = useTestDatabase();
const processes: Database[] = [];
beforeAll(() => {
  const open = () => openDatabase({ url: database.url, systemConnections: 6, userConnections: 1 });
  processes.push(open(), open());
});
afterAll(() => Promise.all(processes.map((one) => one.close())));

const poolOf = (index: number) => (processes[index % 2] as Database).system;
/** As in a process that has asked about nobody yet. */
const holdSpend = (system: Database['system'], call: Parameters<ReturnType<typeof openSpendHold>['hold']>[0]) =>
  openSpendHold({ database: { system }, clock: { now: () => 0 } }).hold(call);
const { put, list, remove } = capSpending(database);
const wallets = ['0x00000000000000000000000000000000000000a1', '0x00000000000000000000000000000000000000a2'];
const cents = (count: number): string => (count / 100).toFixed(2);

interface Made {
  callId: string;
  resource: number;
  payer: number;
  worst: number;
  /** What it counts with, in cents. */
  counted: number;
}

async function spentOf(ownerId: string): Promise<Map<string, number>> {
  const { rows } = await database.current.system.query<{ name: string; usd: string }>(
    `SELECT cap.scope || ' ' || day.subject AS name, day.usd::text AS usd FROM spend_days day JOIN spend_caps cap ON cap.id = day.cap_id WHERE day.owner_id = $1`,
    [ownerId],
  );
  return new Map(rows.map(({ name, usd }) => [name, Math.round(Number(usd) * 100)]));
}

const call = fc.record({
  resource: fc.nat(1),
  payer: fc.nat(1),
  worst: fc.integer({ min: 1, max: 9 }),
  ending: fc.constantFrom('cheaper', 'as dear', 'not run', 'untold', 'untold, then told', 'under way', 'refused'),
});

test('whatever calls come at once in two processes, no cap is exceeded, and each counts what it did cost', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(call, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 4 }),
      async (batches) => {
        const [ownerId, resources] = [newId(), [newId(), newId()]];
        const caps = { key: 40, resource: 25, payer: 20 } as const;
        for (const scope of ['key', 'resource', 'payer'] as const) {
          await put(ownerId, { scope, perDayUsd: cents(caps[scope]) });
        }
        const made: Made[] = [];
        const countedFor = (mine: (one: Made) => boolean) =>
          made.filter(mine).reduce((sum, one) => sum + one.counted, 0);
        for (const batch of batches) {
          const held = await Promise.all(
            batch.map(async ({ resource, payer, worst }, index) => {
              const one = { callId: newId(), resource, payer, worst, counted: worst };
              const asked = {
                callId: one.callId,
                ownerId,
                resourceId: resources[resource] ?? '',
                payer: wallets[payer] ?? '',
                worstUsd: cents(worst),
              };
              return (await holdSpend(poolOf(index), asked)) === null ? one : null;
            }),
          );
          made.push(...held.filter((one) => one !== null));
          // Of those that fit none was turned away alone: where nothing was held, one more would not have fitted.
          const spent = await spentOf(ownerId);
          expect(spent.get('key ') ?? 0).toBe(countedFor(() => true));
          expect(spent.get('key ') ?? 0).toBeLessThanOrEqual(caps.key);
          for (const index of [0, 1]) {
            expect(spent.get(`resource ${resources[index]}`) ?? 0).toBe(
              countedFor(({ resource }) => resource === index),
            );
            expect(spent.get(`resource ${resources[index]}`) ?? 0).toBeLessThanOrEqual(caps.resource);
            expect(spent.get(`payer ${wallets[index]}`) ?? 0).toBe(countedFor(({ payer }) => payer === index));
            expect(spent.get(`payer ${wallets[index]}`) ?? 0).toBeLessThanOrEqual(caps.payer);
          }
          await Promise.all(
            held.map(async (one, index) => one && end(one, batch[index]?.ending ?? 'refused', { ownerId, resources })),
          );
        }
      },
    ),
    { numRuns: 12 },
  );
});

async function end(
  one: Made,
  ending: string,
  { ownerId, resources }: { ownerId: string; resources: string[] },
): Promise<void> {
  const { callId } = one;
  const system = poolOf(one.worst);
  const record = (more: object) =>
    recordCall(
      system,
      makeRecord({
        callId,
        ownerId,
        resourceId: resources[one.resource] ?? '',
        payer: wallets[one.payer] ?? '',
        at: new Date(),
        ...more,
      }),
    );
  switch (ending) {
    case 'cheaper':
      one.counted = one.worst - 1;
      return record({ costUsd: cents(one.counted) });
    case 'as dear':
      return record({ costUsd: cents(one.worst) });
    case 'not run':
      one.counted = 0;
      return releaseSpend(system, [callId]);
    case 'refused':
      one.counted = 0;
      return record({ status: 'refused', costUsd: null, transaction: null, evidence: {} });
    case 'untold':
      return record({ costUsd: null });
    case 'untold, then told':
      await record({ costUsd: null });
      one.counted = Math.floor(one.worst / 2);
      await closeCostLookup(system, { callId, generationId: 'gen-1' }, cents(one.counted));
      return;
    default:
      return undefined;
  }
}

const ask = (ownerId: string, worstUsd: string, more: object = {}) =>
  holdSpend(poolOf(0), { callId: newId(), ownerId, resourceId: newId(), payer: null, worstUsd, ...more });

test('a cap that has no room is told, also before a call; it has room again the next day, when it is raised and when it is gone', async () => {
  const ownerId = newId();
  const cap = await put(ownerId, { scope: 'key', perDayUsd: '0.10' });
  expect(cap).toMatchObject({ scope: 'key', subject: '', perDayUsd: '0.1', spentUsd: '0' });
  expect(await ask(ownerId, '0.10')).toBeNull();
  expect(await ask(ownerId, '0.01')).toMatchObject({ scope: 'key', subject: '', perDayUsd: '0.1' });
  const next = { ownerId, resourceId: newId(), worstUsd: '0.01' };
  expect(await findFullCap(poolOf(0), next)).toMatchObject({ capId: cap.id, scope: 'key', perDayUsd: '0.1' });
  expect(await list(ownerId)).toMatchObject([{ spentUsd: '0.1' }]);
  await put(ownerId, { scope: 'key', perDayUsd: '0.11' });
  expect(await findFullCap(poolOf(0), next)).toBeNull();
  expect(await ask(ownerId, '0.01')).toBeNull();
  expect(await ask(ownerId, '0.01')).not.toBeNull();
  await database.current.system.query(`UPDATE spend_days SET day = day - 1 WHERE cap_id = $1`, [cap.id]);
  expect(await ask(ownerId, '0.01')).toBeNull();
  await put(ownerId, { scope: 'key', perDayUsd: '0' });
  expect(await ask(ownerId, '0.01')).not.toBeNull();
  await remove(ownerId, cap.id);
  expect(await ask(ownerId, '5')).toBeNull();
});

test('what was spent today before there was a cap counts; the operator pays for what runs on the operator key', async () => {
  const [ownerId, resourceId] = [newId(), newId()];
  const record = (more: object) =>
    recordCall(poolOf(0), makeRecord({ ownerId, resourceId, at: new Date(), costUsd: '0.03', ...more }));
  await record({});
  await record({ keySource: 'platform' });
  await record({ at: new Date(Date.now() - 2 * 86_400_000) });
  expect(await put(ownerId, { scope: 'key', perDayUsd: '1' })).toMatchObject({ spentUsd: '0.03' });
  await record({ isTest: true });
  await record({ keySource: 'platform' });
  expect(await list(ownerId)).toMatchObject([{ spentUsd: '0.06' }]);
});

test('what a cap counts is told with what of it is under way, and only while it stands as it is', async () => {
  const [ownerId, resourceId] = [newId(), newId()];
  const cap = await put(ownerId, { scope: 'resource', perDayUsd: '1' });
  const ended = { callId: newId(), ownerId, resourceId, payer: null, worstUsd: '0.5' };
  expect(await holdSpend(poolOf(0), ended)).toBeNull();
  expect(await holdSpend(poolOf(1), { ...ended, callId: newId(), worstUsd: '0.4' })).toBeNull();
  await recordCall(poolOf(0), makeRecord({ ...ended, at: new Date(), costUsd: '0.45' }));
  const asked = { capId: cap.id, subject: resourceId, perDayUsd: '1' };
  const use = {
    ownerId,
    scope: 'resource',
    subject: resourceId,
    isEach: true,
    spentUsd: '0.85',
    resetsAt: cap.resetsAt,
  };
  expect(await readCapUse(poolOf(0), asked)).toMatchObject({ ...use, heldUsd: '0.4' });
  const near = async (part: string) => (await listUsedCaps(poolOf(1), part)).filter((one) => one.ownerId === ownerId);
  expect(await near('0.85')).toMatchObject([use]);
  expect(await near('0.86')).toEqual([]);
  await put(ownerId, { scope: 'resource', perDayUsd: '2' });
  expect(await readCapUse(poolOf(0), asked)).toBeNull();
  await put(ownerId, { scope: 'payer', perDayUsd: '0.01' });
  expect(await near('0')).toMatchObject([{ scope: 'resource' }]);
});

test('a cap of another creator, resource or wallet bounds nothing here', async () => {
  const [ownerId, other] = [newId(), newId()];
  await put(ownerId, { scope: 'payer', subject: wallets[0] ?? '', perDayUsd: '0' });
  await put(other, { scope: 'key', perDayUsd: '0' });
  expect(await ask(ownerId, '1', { payer: wallets[1] })).toBeNull();
  expect(await ask(ownerId, '1', { payer: wallets[0] })).toMatchObject({ scope: 'payer', subject: wallets[0] });
  expect(await list(other)).toHaveLength(1);
});

test.each([
  { scope: 'key', subject: 'mine', perDayUsd: '1' },
  { scope: 'resource', subject: 'essay', perDayUsd: '1' },
  { scope: 'payer', subject: '0x12', perDayUsd: '1' },
  { scope: 'key', perDayUsd: '-1' },
] as const)('%j is no cap', async (cap) => {
  await expect(put(newId(), cap)).rejects.toMatchObject({ code: 'invalid_input' });
});

test('calls that are logged together, caps that come and go and calls that are held never wait for each other in a circle', async () => {
  const owners = Array.from({ length: 3 }, newId);
  const resources = Array.from({ length: 3 }, newId);
  const scopes = ['key', 'resource', 'payer'] as const;
  const putAll = () =>
    Promise.all(owners.flatMap((owner) => scopes.map((scope) => put(owner, { scope, perDayUsd: '90' }))));
  await putAll();
  const unpaid = { payer: null, network: null, transaction: null, amountAtomic: 0n };
  const toBatch = (turn: number) => {
    const records = owners.flatMap((ownerId) =>
      resources.flatMap((resourceId) =>
        wallets.map(() => makeRecord({ ...unpaid, ownerId, resourceId, at: new Date(), costUsd: '0.01' })),
      ),
    );
    return turn % 2 === 0 ? records : records.toReversed();
  };
  for (const turn of [0, 1, 2, 3, 4, 5]) {
    const [ownerId = ''] = owners;
    const caps = await list(ownerId);
    await Promise.all([
      ...[0, 1, 2, 3].map((index) => recordUnpaid(poolOf(index), toBatch(turn + index))),
      ...caps.map(({ id }) => remove(ownerId, id)),
      ...[0, 1, 2, 3].map(async (index) => {
        const callId = newId();
        const asked = { callId, ownerId, resourceId: resources[index % 3] ?? '', payer: wallets[index % 2] ?? '' };
        await holdSpend(poolOf(index), { ...asked, worstUsd: '0.01' });
        await releaseSpend(poolOf(index + 1), [callId]);
      }),
    ]);
    await putAll();
  }
  // 6 turns of 4 batches of 6 calls for each resource, a third of them in the name of each owner.
  for (const ownerId of owners) {
    expect((await spentOf(ownerId)).get('key ')).toBe(6 * 4 * 6);
  }
});

test('while the cost of one of its runs is not told, a call counts with the most that it may be', async () => {
  const ownerId = newId();
  await put(ownerId, { scope: 'key', perDayUsd: '1' });
  const owed = makeRecord({
    ownerId,
    at: new Date(),
    costUsd: null,
    status: 'owed',
    evidence: { generationId: 'gen-a' },
  });
  await holdSpend(poolOf(0), { ...owed, worstUsd: '0.10' });
  await recordCall(poolOf(0), owed);
  await recordCall(poolOf(1), { ...owed, status: 'success', costUsd: '0.02', evidence: { generationId: 'gen-b' } });
  expect(await list(ownerId)).toMatchObject([{ spentUsd: '0.1' }]);
  await closeCostLookup(poolOf(0), { callId: owed.callId, generationId: 'gen-a' }, '0.03');
  expect(await list(ownerId)).toMatchObject([{ spentUsd: '0.05' }]);
});
