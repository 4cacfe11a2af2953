import { expect, test } from 'vitest';
import { insertCall } from '../../tests/support/insert-call.ts';
import { useOlderDatabase } from '../../tests/support/older-database.ts';
import { states } from './transitions.ts';

const database = useOlderDatabase('0024');

test('calls that are open or went unpaid today count with their price as work on trust; all others do not', async () => {
  const ids = new Map<string, string>();
  for (const state of states) {
    ids.set(await insertCall(database.current, { state }), state);
  }
  ids.set(await insertCall(database.current, { state: 'unpaid', ageSeconds: 90_000 }), 'unpaid yesterday');
  const upfront = await insertCall(database.current, { state: 'settling' });
  await database.current.system.query(`UPDATE calls SET offer = '{"paymentFlow": "upfront"}' WHERE id = $1`, [upfront]);
  await database.update();
  const { rows } = await database.current.system.query<{ id: string; trust_usd: string }>(
    'SELECT id, trim_scale(trust_usd)::text AS trust_usd FROM calls WHERE trust_usd IS NOT NULL',
  );
  expect(Object.fromEntries(rows.map(({ id, trust_usd }) => [ids.get(id), trust_usd]))).toEqual(
    Object.fromEntries(['claimed', 'pending', 'running', 'settling', 'unpaid'].map((state) => [state, '0.01'])),
  );
});
