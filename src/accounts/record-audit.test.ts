import { beforeAll, expect, test } from 'vitest';
import { bind, callOperation, onBehalfOf, systemClock, vias, type OperationPorts, type User } from '#kit/index.ts';
import type { Tx } from '#database/index.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { openTestPorts, testSource } from '../../tests/support/perform.ts';
import { createApiKey } from './create-api-key.ts';
import { recordAudit } from './record-audit.ts';

const database = useTestDatabase();
const ada: User = { ...onBehalfOf({ userId: 'ada', username: 'ada', email: '' }), via: 'session' };

beforeAll(async () => {
  await database.current.system.query(
    `INSERT INTO users (id, name, email, username) VALUES ('ada', 'ada', 'ada@example.com', 'ada')`,
  );
});

const entry = { source: testSource, operation: 'notes.create', ids: { id: 'n1' }, outcome: 'ok' };
const write = (userId: string, caller: User) =>
  database.current.asUser(userId, (tx) => recordAudit(tx, { ...entry, caller }));
const read = async (userId: string) =>
  (await database.current.asUser(userId, (tx) => tx.query('SELECT operation, ids, via, surface FROM audit_log'))).rows;

function createKey(ports: OperationPorts<Tx>, label: string) {
  const input = { label, scopes: ['usage:read' as const] };
  return callOperation(ports, bind(createApiKey, { clock: systemClock }), { caller: ada, input, source: testSource });
}
const listKeys = async (label: string) =>
  (await database.current.system.query('SELECT id FROM api_keys WHERE label = $1', [label])).rows;

test('audit rows are read by whose action it was, and changed by nobody', async () => {
  const zoe: User = { ...ada, userId: 'zoe' };
  await write('zoe', zoe);
  expect(await read('zoe')).toEqual([
    { operation: 'notes.create', ids: { id: 'n1' }, via: 'session', surface: 'system' },
  ]);
  expect(await read('mallory')).toEqual([]);
  await expect(database.current.system.query('DELETE FROM audit_log')).rejects.toThrow('permission denied');
  const asZoe = (sql: string) => database.current.asUser('zoe', (tx) => tx.query(sql));
  await expect(asZoe('DELETE FROM audit_log')).rejects.toThrow('permission denied');
  await expect(asZoe(`UPDATE audit_log SET outcome = 'ok'`)).rejects.toThrow('permission denied');
});

test('a user\u2019s transaction cannot write the audit row of somebody else', async () => {
  await expect(write('mallory', ada)).rejects.toThrow('row-level security');
});

test('every way to be known, and nobody known, has its place in the log', async () => {
  for (const via of vias) {
    await write('many', { ...ada, userId: 'many', via });
  }
  expect((await read('many')).map((row: { via: string }) => row.via).sort()).toEqual([...vias].sort());
  await recordAudit(database.current.system, { ...entry, caller: { kind: 'anonymous' } });
});

test('a change and its audit row are committed together', async () => {
  const { id } = await createKey(openTestPorts(database.current), 'kept');
  expect(await listKeys('kept')).toEqual([{ id }]);
  expect(await read('ada')).toContainEqual(
    expect.objectContaining({ operation: 'account.api_keys.create', ids: { id } }),
  );
});

test('a change whose audit row cannot be written is not made', async () => {
  const ports = openTestPorts(database.current);
  const full = { ...ports, recordAudit: () => Promise.reject(new Error('no space left')), log: { error: () => {} } };
  await expect(createKey(full, 'lost')).rejects.toThrow('no space left');
  expect(await listKeys('lost')).toEqual([]);
});
