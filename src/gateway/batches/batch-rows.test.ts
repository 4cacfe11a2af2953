import fc from 'fast-check';
import { expect, test } from 'vitest';
import { newId } from '#kit/index.ts';
import { noEvidence } from '#resources/index.ts';
import { insertCall } from '../../../tests/support/insert-call.ts';
import { useTestDatabase } from '../../../tests/support/test-database.ts';
import { afterAttempt, MAX_ATTEMPTS } from './batch-item.ts';
import {
  beginAttempt,
  countItems,
  endAttempt,
  giveUpOpen,
  listItems,
  noteLogged,
  openItems,
  type Holder,
} from './batch-rows.ts';

const database = useTestDatabase();

const ITEMS = 3;
const index = fc.integer({ min: 0, max: ITEMS - 1 });
const said = fc.constantFrom('ok', 'upstream_failed', 'content_refused');

type Step =
  | { do: 'attempt'; index: number; says: string }
  /** Begun, and the process dies. */
  | { do: 'crash'; index: number }
  | { do: 'next run' };
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('attempt' as const), index, says: said }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('crash' as const), index }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('next run' as const) }) },
);

const answered = (says: string) =>
  says === 'ok'
    ? { ok: true as const }
    : { ok: false as const, problem: says, cause: 'toy: as told', evidence: noEvidence };
const costing = { ...noEvidence, attempts: 1, costUsd: '0.001' };

async function take(holder: Holder): Promise<Holder> {
  await database.current.system.query(
    `UPDATE calls SET state = 'fulfilling', runs = $2, process_id = $3 WHERE id = $1`,
    [holder.callId, holder.run, holder.processId],
  );
  await openItems(database.current.system, holder, ITEMS);
  return holder;
}

test('any order of attempts, crashes and runs: nothing is asked too often in a run, no answer is lost or asked for again, every cost counts', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const { system } = database.current;
      const callId = await insertCall(database.current, { state: 'fulfilling' });
      let holder = await take({ callId, run: 1, processId: newId() });
      let asked = [0, 0, 0];
      let ended = 0;
      const won = new Set<number>();
      const wrong: string[][] = [];
      for (const one of steps) {
        if (one.do === 'next run') {
          await giveUpOpen(system, holder, { problem: 'upstream_failed', cause: 'lost' });
          holder = await take({ callId, run: holder.run + 1, processId: newId() });
          asked = [0, 0, 0];
          continue;
        }
        const attempts = await beginAttempt(system, holder, one.index);
        if (attempts === null) {
          wrong.push(won.has(one.index) || (asked[one.index] ?? 0) > 0 ? [] : [`${one.index} is asked by nobody`]);
          continue;
        }
        expect(won.has(one.index)).toBe(false);
        asked[one.index] = (asked[one.index] ?? 0) + 1;
        expect([attempts, attempts <= MAX_ATTEMPTS]).toEqual([asked[one.index], true]);
        if (one.do === 'crash') {
          const dead = holder;
          holder = await take({ ...holder, processId: newId() });
          wrong.push((await beginAttempt(system, dead, one.index)) === null ? [] : ['the dead process has begun one']);
          continue;
        }
        const outcome = answered(one.says) as Parameters<typeof afterAttempt>[1];
        const state = afterAttempt(attempts, outcome);
        const told = outcome.ok
          ? { answer: { output: { at: one.index } } }
          : { problem: outcome.problem, cause: outcome.cause };
        await endAttempt(system, holder, { index: one.index, state, evidence: costing, ...told });
        ended += 1;
        if (state === 'succeeded') {
          won.add(one.index);
        }
      }
      expect(wrong.flat()).toEqual([]);
      const rows = await listItems(system, callId);
      expect(rows).toHaveLength(ITEMS);
      const inOrder = Array.from({ length: ITEMS }, (_, at) => at).filter((at) => won.has(at));
      expect(rows.filter(({ state }) => state === 'succeeded').map((row) => row.item_index)).toEqual(inOrder);
      expect(rows.filter(({ answer }) => answer !== null).map(({ answer }) => JSON.parse(answer ?? ''))).toEqual(
        inOrder.map((at) => ({ output: { at } })),
      );
      expect(rows.reduce((sum, row) => sum + row.asked, 0)).toBe(ended);
      expect(rows.reduce((sum, { cost_usd: usd }) => sum + Math.round(Number(usd ?? 0) * 1_000), 0)).toBe(ended);
    }),
    { numRuns: 40 },
  );
});

test('what comes late of a process that was thought dead counts its cost and changes no outcome', async () => {
  const { system } = database.current;
  const callId = await insertCall(database.current, { state: 'fulfilling' });
  const dead = await take({ callId, run: 1, processId: newId() });
  expect(await beginAttempt(system, dead, 0)).toBe(1);
  const living = await take({ ...dead, processId: newId() });
  expect(await beginAttempt(system, living, 0)).toBe(2);
  const failed = { problem: 'content_refused', cause: 'no' };
  await endAttempt(system, living, { index: 0, state: 'succeeded', answer: { output: {} }, evidence: costing });
  await endAttempt(system, dead, { index: 0, state: 'failed', evidence: costing, ...failed });
  await giveUpOpen(system, dead, { problem: 'upstream_failed', cause: 'lost' });
  expect(await countItems(system, callId)).toEqual({ total: ITEMS, ended: 1, failed: 0 });
  const [first] = await listItems(system, callId);
  expect(first).toMatchObject({ state: 'succeeded', problem: null, cost_usd: '0.002', asked: 2 });
  await noteLogged(system, callId);
  expect((await listItems(system, callId))[0]).toMatchObject({ state: 'succeeded', cost_usd: null, asked: 0 });
});
