import { expect, test } from 'vitest';
import { onVaultChanged } from '#vault/index.ts';
import { KEY, OTHER_KEY, refusal, type useIntegrationWorld } from './integration-world.ts';

export type At = ReturnType<typeof useIntegrationWorld<object, object>>;

const nothing = { paused: [], resumed: [], stillSelling: [], afterCommit: () => {} };

/** A change of a key and of what depends on it is one. */
export function describeAtomicity(at: At): void {
  test('the key stays when what depends on it cannot be paused', async () => {
    await at.put();
    at.world.listener = () => Promise.reject(new Error('no'));
    await expect(at.delete()).rejects.toThrow('no');
    await expect(at.switch(false)).rejects.toThrow('no');
    expect(await at.get()).toMatchObject({ isValid: true, isEnabled: true });
    expect(await at.findResource()).toMatchObject({ state: 'published' });
  });

  test('a process that dies between the change and its end leaves the key and what needs it as they were', async () => {
    await at.put();
    at.world.listener = async (tx) => {
      const { rows } = await tx.query('SELECT state FROM x402_resources WHERE id = $1', [at.world.resourceId]);
      expect(rows).toEqual([{ state: 'paused' }]);
      await tx.query('SELECT pg_terminate_backend(pg_backend_pid())');
      return nothing;
    };
    await expect(at.delete()).rejects.toThrow(/terminat/);
    expect(await at.openKey()).toBe(KEY);
    expect(await at.findResource()).toMatchObject({ state: 'published' });
  });

  test('others see the key gone and what needs it paused at the same moment', async () => {
    await at.put();
    const reached = Promise.withResolvers<void>();
    const commit = Promise.withResolvers<void>();
    at.world.listener = async () => {
      reached.resolve();
      await commit.promise;
      return nothing;
    };
    const deleting = at.delete();
    await reached.promise;
    expect([await at.get(), await at.findResource()]).toMatchObject([{ isValid: true }, { state: 'published' }]);
    commit.resolve();
    await deleting;
    expect([await at.openKey(), await at.findResource()]).toMatchObject([null, { state: 'paused' }]);
  });

  test('of many changes at once the last one decides about the key and what needs it', async () => {
    for (let round = 0; round < 25; round += 1) {
      await Promise.allSettled([
        at.put(),
        at.delete(),
        at.switch(round % 2 === 0),
        at.put(OTHER_KEY),
        at.refuse(KEY, 'x'),
        at.delete(),
      ]);
      expect(await at.findResource()).toMatchObject({ state: (await at.openKey()) ? 'published' : 'paused' });
      await at.put();
    }
  });
}

/** What processes hold of a key in memory, and where its sealed bytes open. */
export function describeOpenedKey(at: At): void {
  const { service } = at.tested;

  test('the opened key is shared for five seconds and dropped at once when another process changed it', async () => {
    const { userId } = at.world.user;
    await at.put();
    const elsewhere = await at.openElsewhere();
    expect(await at.openKey(userId, elsewhere)).toBe(KEY);
    await at.put(OTHER_KEY);
    expect(await at.openKey(userId, elsewhere)).toBe(KEY);
    onVaultChanged(elsewhere, `${service.name}:${userId}`);
    expect(await at.openKey(userId, elsewhere)).toBe(OTHER_KEY);
    await at.put(KEY);
    at.toy.clock.nowMs += 5_000;
    expect(await at.openKey(userId, elsewhere)).toBe(KEY);
    await at.put(OTHER_KEY);
    onVaultChanged(elsewhere, '');
    expect(await at.openKey(userId, elsewhere)).toBe(OTHER_KEY);
  });

  test('each change is told to all processes: the key by name, and what it paused', async () => {
    const client = await at.database.current.system.connect();
    const heard: string[] = [];
    client.on('notification', ({ channel, payload }) => heard.push(`${channel} ${payload}`));
    await client.query('LISTEN vault_changed; LISTEN resources_changed');
    await at.put();
    await at.delete();
    await client.query('SELECT 1');
    client.release(true);
    const key = `vault_changed ${service.name}:${at.world.user.userId}`;
    expect(heard.toSorted()).toEqual([`resources_changed ${at.world.resourceId}`, key, key]);
  });

  test('a sealed key moved to another user’s row does not open', async () => {
    await at.put();
    const { user: thief } = await at.makeWorld();
    await at.put(OTHER_KEY, thief);
    await at.copySealed(at.world.user.userId, thief.userId);
    expect(await refusal(at.openKey(thief.userId))).toContain('internal');
    at.deps.vault.cache.clear();
    expect(await refusal(at.openKey(thief.userId))).toContain('internal');
  });
}
