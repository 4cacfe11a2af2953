import { randomBytes } from 'node:crypto';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { newId } from '#kit/index.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import {
  dropSecret,
  forgetSecret,
  masterKeyFromText,
  onVaultChanged,
  openSecret,
  openVault,
  storeSecret,
} from './index.ts';
import type { SealContext, Vault } from './index.ts';

const database = useTestDatabase();
const clock = { at: Date.parse('2030-01-01T00:00:00Z'), now: () => clock.at };
const masterKey = masterKeyFromText(randomBytes(32).toString('hex'));
const open = () => openVault({ database: database.current, masterKey, clock });
let vault: Vault;
let context: SealContext;

beforeAll(async () => {
  vault = await open();
  await database.current.system.query(
    `INSERT INTO users (id, name, email, username) SELECT u, u, u || '@example.com', u FROM unnest($1::text[]) AS u`,
    [['alice', 'bob']],
  );
});
beforeEach(() => {
  context = { table: 'things', row: newId(), ownerId: 'alice', field: 'secret' };
});

const store = async (plaintext: string, at = context): Promise<void> => {
  await database.current.asUser(at.ownerId, (tx) => storeSecret(vault, tx, { context: at, plaintext }));
  forgetSecret(vault, at);
};
const drop = async (): Promise<boolean> => {
  const wasThere = await database.current.asUser('alice', (tx) => dropSecret(tx, context));
  forgetSecret(vault, context);
  return wasThere;
};

const change = (sql: string, values: string[]) => database.current.asUser('alice', (tx) => tx.query(sql, values));

test('a secret is stored, replaced in its place and dropped', async () => {
  expect(await openSecret(vault, context)).toBeNull();
  await store('first');
  await store('second');
  expect(await openSecret(vault, context)).toBe('second');
  const { rows } = await database.current.system.query('SELECT sealed FROM vault_secrets WHERE row_id = $1', [
    context.row,
  ]);
  expect(rows).toHaveLength(1);
  expect((rows[0].sealed as Buffer).includes('second')).toBe(false);
  expect([await drop(), await openSecret(vault, context), await drop()]).toEqual([true, null, false]);
});

test('a secret is found only at its own place', async () => {
  await store('text');
  for (const other of [{ ownerId: 'bob' }, { row: 'other' }, { field: 'other' }, { table: 'others' }]) {
    expect(await openSecret(vault, { ...context, ...other })).toBeNull();
  }
});

test('a secret that was moved to another row or changed does not open', async () => {
  const other = { ...context, row: newId() };
  await store('text');
  await store('other text', other);
  await change(
    'UPDATE vault_secrets SET sealed = (SELECT sealed FROM vault_secrets WHERE row_id = $1) WHERE row_id = $2',
    [context.row, other.row],
  );
  await expect(openSecret(vault, other)).rejects.toMatchObject({ code: 'internal' });
  await change('UPDATE vault_secrets SET sealed = set_byte(sealed, 40, get_byte(sealed, 40) # 1) WHERE row_id = $1', [
    context.row,
  ]);
  await expect(openSecret(vault, context)).rejects.toMatchObject({ code: 'internal' });
});

test('the system opens secrets and does not change them', async () => {
  const changed = database.current.system.query("UPDATE vault_secrets SET field = 'x'");
  await expect(changed).rejects.toThrow('permission denied');
});

test('a user stores a secret for nobody else', async () => {
  const forged = database.current.asUser('bob', (tx) => storeSecret(vault, tx, { context, plaintext: 'text' }));
  await expect(forged).rejects.toThrow('row-level security');
});

test('an opened secret is shared for five seconds and dropped when another process changed it', async () => {
  const client = await database.current.system.connect();
  const heard: string[] = [];
  client.on('notification', ({ payload }) => heard.push(payload ?? ''));
  await client.query('LISTEN vault_changed');
  const elsewhere = await open();
  await store('first');
  expect(await openSecret(elsewhere, context)).toBe('first');
  await store('second');
  expect(await openSecret(elsewhere, context)).toBe('first');
  await client.query('SELECT 1');
  client.release(true);
  heard.forEach((name) => onVaultChanged(elsewhere, name));
  expect(await openSecret(elsewhere, context)).toBe('second');
  await store('third');
  clock.at += 5_000;
  expect(await openSecret(elsewhere, context)).toBe('third');
});
