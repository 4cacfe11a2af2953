import { expect, test } from 'vitest';
import { newId } from '#kit/index.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { noteDeliveries } from './note-deliveries.ts';

const database = useTestDatabase();
const errors: string[] = [];
const log = { info: () => {}, warn: () => {}, error: (_: object, message: string) => void errors.push(message) };

async function insertCall(state: string): Promise<string> {
  const id = newId();
  await database.current.system.query(
    `INSERT INTO calls (id, owner_id, resource_id, version_id, request_id, process_id, state, network, asset, payer,
                        uniqueness_key, amount_atomic, fingerprint, payment, offer, expires_at, deadline, transaction)
     VALUES ($1, 'o', $1, $1, 'r', $1, $2, 'n', 'a', 'p', $3, 1, 'f', '{}', '{}', now(), now(), '0x1')`,
    [id, state, newId()],
  );
  return id;
}

async function readStates(ids: readonly string[]): Promise<unknown[]> {
  const { rows } = await database.current.system.query<{ id: string; state: string }>(
    'SELECT id, state FROM calls WHERE id = ANY($1::uuid[])',
    [ids],
  );
  return ids.map((id) => rows.find((row) => row.id === id)?.state);
}

test('what was noted is delivered, also what counted as lost, and nothing else moves', async () => {
  const deliveries = noteDeliveries({ database: database.current, log });
  const ids = await Promise.all(['settled', 'owed', 'delivered', 'pending', 'settled'].map(insertCall));
  const unnoted = await insertCall('settled');
  ids.forEach((id) => deliveries.note(id));
  await deliveries.flush();
  expect(await readStates(ids)).toEqual(['delivered', 'delivered', 'delivered', 'pending', 'delivered']);
  expect(await readStates([unnoted])).toEqual(['settled']);
});

test('a flush waits for what is being written, and one that finds nothing ends', async () => {
  const deliveries = noteDeliveries({ database: database.current, log });
  const [first, second] = await Promise.all([insertCall('settled'), insertCall('settled')]);
  deliveries.note(first);
  const writing = deliveries.flush();
  deliveries.note(second);
  await deliveries.flush();
  expect(await readStates([first, second])).toEqual(['delivered', 'delivered']);
  await writing;
  await deliveries.flush();
});

test('a database that fails is logged and thrown at nobody', async () => {
  const broken = { ...database.current, system: { query: () => Promise.reject(new Error('gone')) } as never };
  const deliveries = noteDeliveries({ database: broken, log });
  deliveries.note(newId());
  await deliveries.flush();
  expect(errors).toEqual(['deliveries could not be noted']);
});
