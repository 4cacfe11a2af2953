import { beforeEach, expect, test } from 'vitest';
import { insertCall } from '../../tests/support/insert-call.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { expireAnswers } from './expire-answers.ts';
import { states } from './transitions.ts';

const database = useTestDatabase();
const HOUR = 3_600;

beforeEach(() => database.current.system.query('DELETE FROM calls'));

async function keptOf(id: string) {
  const { rows } = await database.current.system.query<{ answer: boolean; payment: string[] }>(
    `SELECT answer IS NOT NULL AS answer, array(SELECT jsonb_object_keys(payment) ORDER BY 1) AS payment
     FROM calls WHERE id = $1`,
    [id],
  );
  return rows[0] ?? 'nothing';
}

async function expireAfter(ageSeconds: number) {
  const ids = await Promise.all(
    states.map(async (state) => [state, await insertCall(database.current, { state, ageSeconds })] as const),
  );
  await expireAnswers({ database: database.current }, HOUR);
  return Object.fromEntries(await Promise.all(ids.map(async ([state, id]) => [state, await keptOf(id)] as const)));
}

const everything = { answer: true, payment: ['payload', 'raw'] };
const withoutAnswer = { answer: false, payment: ['payload'] };
const withoutPayload = { answer: false, payment: [] };

test('within the retention everything is kept', async () => {
  expect(await expireAfter(HOUR - 60)).toEqual(Object.fromEntries(states.map((state) => [state, everything])));
});

test('after it, answers go, and what was signed for what was not paid; open calls keep what they need', async () => {
  expect(await expireAfter(HOUR + 60)).toEqual({
    claimed: everything,
    running: everything,
    fulfilling: everything,
    settling: everything,
    pending: everything,
    settled: everything,
    delivered: withoutAnswer,
    owed: withoutAnswer,
    refunded: withoutAnswer,
    unpaid: withoutPayload,
    refused: withoutPayload,
    failed: withoutPayload,
  });
});

test('an answer that was made long after its payment is kept as long as any other', async () => {
  const lately = await Promise.all(
    (['delivered', 'owed'] as const).map((state) =>
      insertCall(database.current, { state, ageSeconds: HOUR + 60, movedSecondsAgo: HOUR - 60 }),
    ),
  );
  await expireAnswers({ database: database.current }, HOUR);
  expect(await Promise.all(lately.map(keptOf))).toEqual([everything, everything]);
});

test('after a day, claims that were released go; a payment that was used stays used', async () => {
  const kept = await expireAfter(25 * HOUR);
  expect(kept).toMatchObject({ refused: 'nothing', failed: 'nothing', unpaid: withoutPayload });
  expect(kept['delivered']).toEqual(withoutAnswer);
});

test('what is left of a stream goes once its call has its answer, or its run is lost, and not before', async () => {
  const { system } = database.current;
  for (const [state, runs] of [
    ['fulfilling', 1],
    ['fulfilling', 2],
    ['owed', 1],
    ['delivered', 1],
  ] as const) {
    const id = await insertCall(database.current, { state, ageSeconds: 120 });
    await system.query('UPDATE calls SET runs = $2 WHERE id = $1', [id, runs]);
    await system.query(`INSERT INTO call_stream_parts VALUES ($1, 1, 0, 1, '[]'), ($1, $2, 1, 2, '[]')`, [id, runs]);
  }
  await expireAnswers({ database: database.current }, HOUR);
  const { rows } = await system.query(
    'SELECT state, runs, run, begins FROM call_stream_parts JOIN calls c ON c.id = call_id ORDER BY runs, begins',
  );
  expect(rows).toEqual([
    { state: 'fulfilling', runs: 1, run: 1, begins: 0 },
    { state: 'fulfilling', runs: 1, run: 1, begins: 1 },
    { state: 'fulfilling', runs: 2, run: 2, begins: 1 },
  ]);
});

test('with the answer that a batch has in part goes what it could be run again from', async () => {
  const { system } = database.current;
  const ids = await Promise.all(
    [2 * 86_400, 3_600].map((ageSeconds) => insertCall(database.current, { state: 'owed', ageSeconds })),
  );
  await system.query(
    `UPDATE calls SET input = '{"inputs":[{}]}', runs_long = true, is_batch = true WHERE id = ANY($1)`,
    [ids],
  );
  await system.query(
    `INSERT INTO batch_items (call_id, item_index, state, answer) SELECT unnest($1::uuid[]), 0, 'succeeded', '{}'`,
    [ids],
  );
  await expireAnswers({ database: database.current }, 3_000);
  const { rows } = await system.query(
    `SELECT answer IS NULL AND input IS NULL AS is_forgotten,
       EXISTS (SELECT FROM batch_items WHERE call_id = id) AS has_items FROM calls WHERE id = ANY($1) ORDER BY updated_at`,
    [ids],
  );
  expect(rows).toEqual([
    { is_forgotten: true, has_items: false },
    { is_forgotten: false, has_items: true },
  ]);
});
