import { describe, expect, test } from 'vitest';
import { anonymous, sha256Hex, type User } from '#kit/index.ts';
import { good, KEY, OTHER_KEY, refusal, useOpenrouterKeys } from '../../tests/support/openrouter-key.ts';
import {
  deleteOpenrouter,
  getOpenrouter,
  listAffected,
  openCreatorKey,
  putOpenrouter,
  testOpenrouter,
  updateOpenrouter,
} from './index.ts';

const keys = useOpenrouterKeys();

describe('storing a key', () => {
  test('tests it, seals it and tells only what may be told', async () => {
    keys.world.resource.state = 'paused';
    const stored = await keys.put();
    expect(stored).toMatchObject({
      label: 'my key',
      lastFour: '1111',
      keyHash: sha256Hex(KEY),
      isEnabled: true,
      isValid: true,
      limitRemaining: '7.5',
      lastCheckedAt: '2030-01-01T00:00:00.000Z',
      resumed: [{ id: 'r1', slug: 'haiku', name: 'Haiku' }],
    });
    const { resumed: _resumed, ...view } = stored;
    expect(await keys.call(getOpenrouter)).toEqual(view);
    const { rows } = await keys.database.current.system.query(
      'SELECT i::text AS all FROM user_openrouter_integrations i WHERE owner_id = $1',
      [keys.world.user.userId],
    );
    expect(rows[0].all).not.toContain(KEY);
    expect(rows[0].all).not.toContain(Buffer.from(KEY).toString('hex'));
    expect(await openCreatorKey(keys.vault, keys.world.user.userId)).toEqual({ apiKey: KEY, source: 'creator' });
  });

  test('refuses a bad key with the reason, and nothing changes', async () => {
    keys.world.answer = { ok: false, reason: 'invalid_key', detail: `OpenRouter does not accept ${KEY}.` };
    expect(await refusal(keys.put())).toBe('unprocessable: OpenRouter does not accept ….');
    expect(await refusal(keys.call(getOpenrouter))).toContain('not_found');
    keys.world.answer = good();
    const before = await keys.put();
    keys.world.answer = { ok: false, reason: 'limit_reached', detail: 'Used up.' };
    expect(await refusal(keys.put(OTHER_KEY))).toBe('unprocessable: Used up.');
    keys.world.answer = { ok: false, reason: 'unreachable', detail: 'Not reached.' };
    expect(await refusal(keys.put(OTHER_KEY))).toBe('unavailable: Not reached.');
    expect(await keys.call(getOpenrouter)).toMatchObject({ lastFour: '1111', updatedAt: before.updatedAt });
    expect(keys.world.log.filter((line) => line.startsWith('paused'))).toEqual([]);
  });

  test.each(['short', 'with space inside', 'k\u00e9y-with-accents', 'x'.repeat(513), 'line\nbreak-in-key'])(
    'does not even ask about %j',
    (apiKey) => {
      expect(putOpenrouter.input.safeParse({ apiKey }).success).toBe(false);
    },
  );

  test('keeps the key out even when OpenRouter repeats it', async () => {
    keys.world.answer = good(`label ${KEY}`);
    expect(await keys.put()).toMatchObject({ label: null });
    keys.world.answer = { ok: true, snapshot: { label: 'x'.repeat(5000) } };
    expect(await refusal(keys.put())).toContain('unavailable');
  });

  test('asks outside any transaction', async () => {
    keys.world.answer = async () => {
      const { rows } = await keys.database.current.system.query(
        `SELECT count(*)::int AS busy FROM pg_stat_activity
          WHERE datname = current_database() AND state LIKE 'idle in transaction%'`,
      );
      expect(rows).toEqual([{ busy: 0 }]);
      return good();
    };
    await keys.put();
    await keys.call(testOpenrouter);
  });
});

describe('deleting a key', () => {
  test('pauses first, then deletes; a new key resumes', async () => {
    await keys.put();
    keys.world.log.length = 0;
    expect(await keys.call(listAffected)).toEqual({
      items: [{ id: 'r1', kind: 'openrouter_instant', slug: 'haiku', name: 'Haiku', state: 'published' }],
    });
    expect(await keys.call(deleteOpenrouter)).toEqual({
      deleted: true,
      paused: [{ id: 'r1', kind: 'openrouter_instant', slug: 'haiku', name: 'Haiku', state: 'paused' }],
    });
    expect(keys.world.log).toEqual([
      'paused Your OpenRouter key was deleted. with a key',
      'paused Your OpenRouter key was deleted. without a key',
    ]);
    expect(await openCreatorKey(keys.vault, keys.world.user.userId)).toBeNull();
    expect(await refusal(keys.call(getOpenrouter))).toContain('not_found');
    expect(await refusal(keys.call(deleteOpenrouter))).toContain('not_found');
    await keys.put(OTHER_KEY);
    expect(keys.world.resource.state).toBe('published');
  });

  test('keeps the key when pausing fails', async () => {
    await keys.put();
    const pauseAffected = () => Promise.reject(new Error('no'));
    await expect(
      keys.call(deleteOpenrouter, {}, { ...keys.world, deps: { ...keys.world.deps, pauseAffected } }),
    ).rejects.toThrow('no');
    expect(await keys.call(getOpenrouter)).toMatchObject({ isValid: true });
  });

  test('with other changes at once ends with the resource as the key is', async () => {
    for (let round = 0; round < 25; round += 1) {
      await Promise.allSettled([
        keys.put(),
        keys.call(deleteOpenrouter),
        keys.call(updateOpenrouter, { isEnabled: round % 2 === 0 }),
        keys.put(OTHER_KEY),
        keys.call(deleteOpenrouter),
      ]);
      const key = await openCreatorKey(keys.vault, keys.world.user.userId);
      expect(keys.world.resource.state).toBe(key ? 'published' : 'paused');
      await keys.put();
    }
  });
});

test('nobody known is refused everywhere', async () => {
  const nobody = { ...keys.world, user: anonymous as unknown as User };
  for (const declared of [getOpenrouter, testOpenrouter, listAffected, deleteOpenrouter]) {
    expect(await refusal(keys.call(declared as typeof getOpenrouter, {}, nobody))).toContain('unauthenticated');
  }
});
