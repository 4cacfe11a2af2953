import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { newId, systemClock } from '#kit/index.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { masterKeyFromText, type MasterKey } from './master-key.ts';
import { openVault, type Vault } from './open-vault.ts';
import { openResourceSecret, sealResourceSecret } from './resource-secret.ts';
import { rotateDataKey } from './rotate-data-key.ts';
import { rotateMasterKey } from './rotate-master-key.ts';
import type { SealContext } from './seal.ts';

const database = useTestDatabase();
const newMasterKey = () => masterKeyFromText(randomBytes(32).toString('hex'));
const deps = () => ({ database: database.current, clock: systemClock });
let current: MasterKey = newMasterKey();

beforeAll(async () => {
  await database.current.system.query(
    `INSERT INTO users (id, name, email, username) SELECT u, u, u || '@example.com', u FROM unnest($1::text[]) AS u`,
    [['alice', 'bob', 'carol', 'erin']],
  );
});

const openWith = (masterKey: MasterKey, ...otherMasterKeys: MasterKey[]) =>
  openVault({ ...deps(), masterKey, otherMasterKeys });

const place = (ownerId: string): SealContext => ({ table: 'things', row: 'r', ownerId, field: 'secret' });
const seal = (vault: Vault, ownerId: string) =>
  vault.database.transaction((tx) => vault.seal(tx, place(ownerId), `secret of ${ownerId}`));

async function sealMany(vault: Vault, count: number): Promise<Map<string, Buffer>> {
  const sealed = new Map<string, Buffer>();
  const prefix = newId();
  for (let n = 0; n < count; n += 1) {
    sealed.set(`${prefix}-${n}`, await seal(vault, `${prefix}-${n}`));
  }
  return sealed;
}

async function expectAllOpen(vault: Vault, sealed: Map<string, Buffer>): Promise<void> {
  for (const [ownerId, bytes] of sealed) {
    expect(await vault.open(vault.database.system, place(ownerId), bytes)).toBe(`secret of ${ownerId}`);
  }
}

async function untilSomebodyWaits(): Promise<void> {
  for (let waiting = 0; waiting === 0;) {
    const { rows } = await database.current.system.query<{ waiting: number }>(
      `SELECT count(*)::int AS waiting FROM pg_locks l JOIN pg_database d ON d.oid = l.database
        WHERE d.datname = current_database() AND locktype = 'advisory' AND NOT granted`,
    );
    waiting = rows[0]?.waiting ?? 0;
  }
}

/** The current master key and a fresh one, which is current when the test is over. */
function nextKeys(): { from: MasterKey; to: MasterKey } {
  const from = current;
  current = newMasterKey();
  return { from, to: current };
}

describe('rotating the master key', () => {
  test('goes on beside opens and seals in several processes, and the old key is no longer needed', async () => {
    const { from, to } = nextKeys();
    const [one, two] = [await openWith(from, to), await openWith(to, from)];
    const sealed = await sealMany(one, 250);
    const media = one.deriveKey('media');
    const rotation = { isRunning: true };
    const work = [one, two].map(async (vault) => {
      while (rotation.isRunning) {
        for (const [ownerId, bytes] of await sealMany(vault, 3)) {
          sealed.set(ownerId, bytes);
        }
        const some = [...sealed].filter((_, n) => n % 10 === 0);
        await expectAllOpen(vault, new Map(some));
      }
    });
    const result = await rotateMasterKey(deps(), { from, to });
    rotation.isRunning = false;
    await Promise.all(work);
    expect(result.remaining).toBe(0);
    expect(result.rewrapped).toBeGreaterThanOrEqual(250);
    const after = await openWith(to);
    await expectAllOpen(after, sealed);
    expect(after.deriveKey('media')).toEqual(media);
    await expect(openWith(from)).rejects.toThrow(to.id);
  });

  test('after a crash in the middle everything opens with both keys, and a second run finishes', async () => {
    const { from, to } = nextKeys();
    const sealed = await sealMany(await openWith(from), 120);
    let left = 105;
    const dying: MasterKey = {
      ...to,
      wrap: async (dataKey, bound) => {
        left -= 1;
        return left < 0 ? Promise.reject(new Error('killed')) : to.wrap(dataKey, bound);
      },
    };
    await expect(rotateMasterKey(deps(), { from, to: dying })).rejects.toThrow('killed');
    const { rows } = await database.current.system.query(
      'SELECT count(DISTINCT master_key_id)::int AS used FROM vault_data_keys',
    );
    expect(rows).toEqual([{ used: 2 }]);
    const between = await openWith(from, to);
    await expectAllOpen(between, sealed);
    sealed.set('newcomer', await seal(between, 'newcomer'));
    expect(await rotateMasterKey(deps(), { from, to })).toMatchObject({ remaining: 0 });
    await expectAllOpen(await openWith(to), sealed);
  });

  test('changes nothing when the new key does not give back what it wrapped', async () => {
    const from = current;
    const to = newMasterKey();
    const vault = await openWith(from, to);
    const sealed = await sealMany(vault, 2);
    const broken: MasterKey = { ...to, unwrap: async () => randomBytes(32) };
    await expect(rotateMasterKey(deps(), { from, to: broken })).rejects.toThrow('does not give back');
    await expectAllOpen(vault, sealed);
    await rotateMasterKey(deps(), { from: to, to: from });
  });

  test('refuses when neither key is the current one, and the same key twice', async () => {
    await openWith(current);
    await expect(rotateMasterKey(deps(), { from: newMasterKey(), to: newMasterKey() })).rejects.toThrow(current.id);
    await expect(rotateMasterKey(deps(), { from: current, to: current })).rejects.toThrow('the same');
  });
});

describe('rotating a data key', () => {
  test('seals everything of the owner anew while more is being sealed, and leaves others alone', async () => {
    const vault = await openWith(current);
    const secret = (n: number, ownerId = 'alice') => ({
      ownerId,
      resourceId: `resource-${n}`,
      field: 'upstream_api_key',
    });
    for (let n = 0; n < 70; n += 1) {
      await sealResourceSecret({ vault }, secret(n), `value ${n}`);
    }
    await sealResourceSecret({ vault }, secret(0, 'bob'), 'value of bob');
    const writing = Promise.all(
      Array.from({ length: 20 }, (_, n) => sealResourceSecret({ vault }, secret(100 + n), `value ${100 + n}`)),
    );
    const [result] = await Promise.all([rotateDataKey(vault, 'alice'), writing]);
    expect(result.unreadable).toEqual([]);
    expect(result.resealed).toBeGreaterThanOrEqual(70);
    const { rows } = await database.current.system.query(
      `SELECT owner_id, count(DISTINCT substring(sealed FROM 2 FOR 16))::int AS keys,
              bool_and(substring(sealed FROM 2 FOR 16) = (SELECT uuid_send(key_id) FROM vault_data_keys k
                                                 WHERE k.owner_id = s.owner_id AND retired_at IS NULL)) AS fresh
         FROM vault_secrets s WHERE owner_id IN ('alice', 'bob') GROUP BY owner_id ORDER BY owner_id`,
    );
    expect(rows).toEqual([
      { owner_id: 'alice', keys: 1, fresh: true },
      { owner_id: 'bob', keys: 1, fresh: true },
    ]);
    vault.cache.clear();
    expect(await openResourceSecret({ vault }, secret(3))).toBe('value 3');
    expect(await openResourceSecret({ vault }, secret(119))).toBe('value 119');
    expect(await openResourceSecret({ vault }, secret(0, 'bob'))).toBe('value of bob');
  });

  test('waits for a transaction that is sealing under the old key, so that its value is sealed anew too', async () => {
    const vault = await openWith(current);
    const sealing = Promise.withResolvers<void>();
    const commit = Promise.withResolvers<void>();
    const late = vault.database.asUser('carol', async (tx) => {
      const at = { table: 't', row: 'late', ownerId: 'carol', field: 'f' };
      const bytes = await vault.seal(tx, at, 'late');
      await tx.query(
        `INSERT INTO vault_secrets (id, owner_id, table_name, row_id, field, sealed, updated_at)
         VALUES ($1, 'carol', 't', 'late', 'f', $2, now())`,
        [newId(), bytes],
      );
      sealing.resolve();
      await commit.promise;
    });
    await Promise.race([sealing.promise, late]);
    const rotated = rotateDataKey(vault, 'carol');
    await untilSomebodyWaits();
    commit.resolve();
    await late;
    expect(await rotated).toEqual({ resealed: 1, unreadable: [] });
  });

  test('names what it cannot read, leaves it, and goes on', async () => {
    const vault = await openWith(current);
    const places = ['broken', 'good'].map((resourceId) => ({ ownerId: 'erin', resourceId, field: 'f' }));
    for (const at of places) {
      await sealResourceSecret({ vault }, at, 'text');
    }
    await database.current.system.query(
      `UPDATE vault_secrets SET sealed = set_byte(sealed, 40, get_byte(sealed, 40) # 1) WHERE row_id = 'broken'`,
    );
    const { unreadable } = await rotateDataKey(vault, 'erin');
    expect(unreadable).toEqual([{ table: 'x402_resources', row: 'broken', ownerId: 'erin', field: 'f' }]);
    vault.cache.clear();
    expect(await openResourceSecret({ vault }, { ownerId: 'erin', resourceId: 'good', field: 'f' })).toBe('text');
  });
});
