import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { newId, systemClock } from '#kit/index.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { masterKeyFromText, type MasterKey } from './master-key.ts';
import { openVault, type Vault } from './open-vault.ts';
import { rotateMasterKey } from './rotate-master-key.ts';
import type { SealContext } from './seal.ts';

const database = useTestDatabase();
const newMasterKey = () => masterKeyFromText(randomBytes(32).toString('hex'));
const deps = () => ({ database: database.current, clock: systemClock });
let current: MasterKey = newMasterKey();

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
