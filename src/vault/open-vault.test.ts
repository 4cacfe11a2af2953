import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { systemClock, type Problem } from '#kit/index.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { masterKeyFromText } from './master-key.ts';
import { openVault, type Vault } from './open-vault.ts';
import type { SealContext } from './seal.ts';

const database = useTestDatabase();
const masterKey = masterKeyFromText(randomBytes(32).toString('hex'));
const context: SealContext = { table: 'things', row: 'r1', ownerId: 'alice', field: 'secret' };
const CANARY = 'canary-plaintext-3f9a';
let vault: Vault;

beforeAll(async () => {
  vault = await openVault({ database: database.current, masterKey, clock: systemClock });
});

const seal = (place: SealContext, text: string) => vault.database.transaction((tx) => vault.seal(tx, place, text));
const open = (place: SealContext, sealed: Uint8Array) => vault.open(vault.database.system, place, sealed);

/** The refusal by its code; fails when anything was opened or the error tells the plaintext. */
async function refusal(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => expect.unreachable('it opened'),
    (thrown: unknown) => thrown,
  );
  expect(inspect(error, { depth: 10 })).not.toContain(CANARY);
  return (error as Problem).code;
}

describe('a sealed value', () => {
  test('opens to the same text, whatever the text and the place', async () => {
    const part = fc.string({ unit: 'binary', maxLength: 40 }).filter((text) => !text.includes('\0'));
    const place = fc.record({ table: part, row: part, ownerId: part, field: part });
    const property = fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 400 }), place, async (text, at) => {
      expect(await open(at, await seal(at, text))).toBe(text);
    });
    await fc.assert(property, { numRuns: 150 });
  });

  test('is different each time and does not contain the text', async () => {
    const [one, two] = [await seal(context, CANARY), await seal(context, CANARY)];
    expect(one.equals(two)).toBe(false);
    expect(one.includes(CANARY)).toBe(false);
    expect(one.length).toBe(1 + 16 + 12 + 16 + CANARY.length);
  });

  test('does not open when any byte is changed', async () => {
    const sealed = await seal(context, CANARY);
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = Buffer.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
      expect(await refusal(open(context, changed))).toBe('internal');
    }
  });

  test('does not open when cut or lengthened', async () => {
    const sealed = await seal(context, CANARY);
    for (let length = 0; length < sealed.length; length += 1) {
      expect(await refusal(open(context, sealed.subarray(0, length)))).toBe('internal');
    }
    expect(await refusal(open(context, Buffer.concat([sealed, Buffer.from([0])])))).toBe('internal');
  });

  test.each([
    { ...context, row: 'r2' },
    { ...context, table: 'others' },
    { ...context, field: 'other' },
    { ...context, ownerId: 'bob' },
    { ...context, table: 'thing', row: 'sr1' },
    { ...context, row: 'r', ownerId: '1alice' },
  ])('does not open in another place: %j', async (place) => {
    await seal({ ...context, ownerId: place.ownerId }, 'so that the other owner has a data key too');
    expect(await refusal(open(place, await seal(context, CANARY)))).toBe('internal');
  });

  test('does not open when its data key is replaced by that of another owner', async () => {
    const sealed = await seal(context, CANARY);
    const foreign = await seal({ ...context, ownerId: 'bob' }, 'x');
    expect(await refusal(open(context, Buffer.concat([foreign.subarray(0, 17), sealed.subarray(17)])))).toBe(
      'internal',
    );
  });

  test('refuses text that would not come back as it was', async () => {
    expect(await refusal(seal(context, '\ud800'))).toBe('invalid_input');
  });
});

describe('data keys', () => {
  test('are one per owner, also when first needed by many at once', async () => {
    const sealed = await Promise.all(Array.from({ length: 12 }, () => seal({ ...context, ownerId: 'crowd' }, CANARY)));
    expect(new Set(sealed.map((bytes) => bytes.subarray(1, 17).toString('hex'))).size).toBe(1);
    const { rows } = await database.current.system.query(`SELECT 1 FROM vault_data_keys WHERE owner_id = 'crowd'`);
    expect(rows).toHaveLength(1);
  });

  test('vanish with the transaction that made them, and the next one makes another', async () => {
    const place = { ...context, ownerId: 'undone' };
    const undone = vault.database.transaction(async (tx) => {
      expect(await vault.open(tx, place, await vault.seal(tx, place, CANARY))).toBe(CANARY);
      throw new Error('rolled back');
    });
    await expect(undone).rejects.toThrow('rolled back');
    expect(await open(place, await seal(place, CANARY))).toBe(CANARY);
  });

  test('are the owner’s own: a user seals and opens as themselves and for nobody else', async () => {
    const sealed = await vault.database.asUser('alice', async (tx) => vault.seal(tx, context, CANARY));
    expect(await vault.database.asUser('alice', (tx) => vault.open(tx, context, sealed))).toBe(CANARY);
    expect(await refusal(vault.database.asUser('bob', (tx) => vault.open(tx, context, sealed)))).toBe('internal');
    const forged = vault.database.asUser('bob', (tx) => vault.seal(tx, { ...context, ownerId: 'eve' }, CANARY));
    await expect(forged).rejects.toThrow('row-level security');
  });

  test('cannot be moved to another owner or unwrapped by another master key', async () => {
    await seal({ ...context, ownerId: 'mover' }, 'x');
    const sealed = await seal({ ...context, ownerId: 'moved' }, CANARY);
    await database.current.system.query(
      `UPDATE vault_data_keys SET wrapped = (SELECT wrapped FROM vault_data_keys WHERE owner_id = 'mover') WHERE owner_id = 'moved'`,
    );
    await expect(open({ ...context, ownerId: 'moved' }, sealed)).rejects.toThrow('authenticate');
  });
});

describe('the master key', () => {
  test('another one is refused when the vault is opened, by name and without telling either', async () => {
    const text = randomBytes(32).toString('hex');
    const other = openVault({ database: database.current, masterKey: masterKeyFromText(text), clock: systemClock });
    const error = await other.catch((thrown: unknown) => thrown);
    expect(String(error)).toContain(masterKey.id);
    expect(inspect(error)).not.toContain(text);
  });

  test('gives derived keys that are the same in every process and differ by label', async () => {
    const again = await openVault({ database: database.current, masterKey, clock: systemClock });
    expect(again.deriveKey('media')).toEqual(vault.deriveKey('media'));
    expect(vault.deriveKey('media')).toHaveLength(32);
    expect(vault.deriveKey('media').equals(vault.deriveKey('auth'))).toBe(false);
  });

  test('is read from hexadecimal or base64', () => {
    const bytes = randomBytes(32);
    const texts = [
      bytes.toString('hex'),
      bytes.toString('hex').toUpperCase(),
      bytes.toString('base64'),
      ` ${bytes.toString('base64url')}\n`,
    ];
    expect(new Set(texts.map((text) => masterKeyFromText(text).id)).size).toBe(1);
  });

  test.each([
    ['', 'must be 32 bytes'],
    ['password', 'must be 32 bytes'],
    [randomBytes(16).toString('hex'), 'must be 32 bytes'],
    [randomBytes(33).toString('hex'), 'must be 32 bytes'],
    [`${randomBytes(32).toString('hex').slice(0, 63)}g`, 'must be 32 bytes'],
    ['0'.repeat(64), 'not random'],
    ['0123456789abcdef'.repeat(4), 'not random'],
    [Buffer.from('this is my very secret pass-phrase').subarray(0, 32).toString('base64'), 'not random'],
  ])('is refused when short or weak: %j', (text, reason) => {
    expect(() => masterKeyFromText(text)).toThrow(reason);
    expect(() => masterKeyFromText(text || 'x')).not.toThrow(text || '\0');
  });
});
