import { describe, expect, test } from 'vitest';
import { good, KEY, OTHER_KEY, refusal, useOpenrouterKeys } from '../../tests/support/openrouter-key.ts';
import {
  deleteOpenrouter,
  getOpenrouter,
  refuseCreatorKey,
  onVaultChanged,
  openCreatorKey,
  putOpenrouter,
  testOpenrouter,
  updateOpenrouter,
  type KeyCheck,
} from './index.ts';

const keys = useOpenrouterKeys();

describe('switching and testing', () => {
  test('switching off pauses and hides the key from calls, switching on brings both back', async () => {
    await keys.put();
    keys.world.log.length = 0;
    expect(await keys.call(updateOpenrouter, { isEnabled: false })).toMatchObject({
      isEnabled: false,
      paused: [{ id: 'r1' }],
    });
    expect(keys.world.log[0]).toBe('paused Your OpenRouter key is switched off. with a key');
    expect(await openCreatorKey(keys.vault, keys.world.user.userId)).toBeNull();
    expect(await keys.call(updateOpenrouter, { isEnabled: true })).toMatchObject({
      isEnabled: true,
      resumed: [{ id: 'r1' }],
    });
    expect(await openCreatorKey(keys.vault, keys.world.user.userId)).toMatchObject({ apiKey: KEY });
    expect(await refusal(keys.call(updateOpenrouter, { isEnabled: true }, await keys.makeWorld()))).toContain(
      'not_found',
    );
  });

  test('a test keeps the new snapshot; a refused key is paused until it is good again', async () => {
    await keys.put();
    keys.clock.at += 60_000;
    keys.world.answer = good('renamed');
    expect(await keys.call(testOpenrouter)).toMatchObject({
      ok: true,
      integration: { label: 'renamed', lastProblem: null },
    });
    keys.world.answer = { ok: false, reason: 'limit_reached', detail: 'Used up.' };
    expect(await keys.call(testOpenrouter)).toMatchObject({
      ok: false,
      problem: 'Used up.',
      integration: { isValid: false },
    });
    expect([keys.world.resource.state, await openCreatorKey(keys.vault, keys.world.user.userId)]).toEqual([
      'paused',
      null,
    ]);
    keys.world.answer = { ok: false, reason: 'unreachable', detail: 'Not reached.' };
    expect(await keys.call(testOpenrouter)).toMatchObject({ ok: false, integration: { lastProblem: 'Used up.' } });
    keys.world.answer = good();
    expect(await keys.call(testOpenrouter)).toMatchObject({ ok: true, integration: { isValid: true } });
    expect(keys.world.resource.state).toBe('published');
  });

  test('a slow test of an old key says nothing about its successor', async () => {
    await keys.put();
    const asked = Promise.withResolvers<void>();
    const verdict = Promise.withResolvers<KeyCheck>();
    keys.world.answer = () => {
      asked.resolve();
      return verdict.promise;
    };
    const testing = keys.call(testOpenrouter);
    await asked.promise;
    keys.world.answer = good();
    await keys.put(OTHER_KEY);
    verdict.resolve({ ok: false, reason: 'invalid_key', detail: 'Revoked.' });
    expect(await testing).toMatchObject({ ok: false });
    expect(await keys.call(getOpenrouter)).toMatchObject({ lastFour: '2222', isValid: true, lastProblem: null });
    expect(keys.world.resource.state).toBe('published');
  });

  test('a key refused in a call is not used again, its successor is', async () => {
    const { userId } = keys.world.user;
    await keys.put();
    await refuseCreatorKey(keys.world.deps, userId, { apiKey: OTHER_KEY, problem: 'x' });
    expect(keys.world.resource.state).toBe('published');
    expect(await openCreatorKey(keys.vault, userId)).toMatchObject({ apiKey: KEY });
    await refuseCreatorKey(keys.world.deps, userId, { apiKey: KEY, problem: `OpenRouter refused ${KEY}` });
    expect(await openCreatorKey(keys.vault, userId)).toBeNull();
    expect(await keys.call(getOpenrouter)).toMatchObject({ isValid: false, lastProblem: 'OpenRouter refused …' });
    expect(keys.world.resource.state).toBe('paused');
    await keys.put(OTHER_KEY);
    expect(await openCreatorKey(keys.vault, userId)).toMatchObject({ apiKey: OTHER_KEY });
  });
});

describe('the opened key', () => {
  test('is shared for five seconds and dropped at once when another process changed it', async () => {
    const { userId } = keys.world.user;
    await keys.put();
    const elsewhere = await keys.openElsewhere();
    expect(await openCreatorKey(elsewhere, userId)).toMatchObject({ apiKey: KEY });
    await keys.put(OTHER_KEY);
    expect(await openCreatorKey(elsewhere, userId)).toMatchObject({ apiKey: KEY });
    onVaultChanged(elsewhere, `openrouter:${userId}`);
    expect(await openCreatorKey(elsewhere, userId)).toMatchObject({ apiKey: OTHER_KEY });
    await keys.put(KEY);
    keys.clock.at += 5_000;
    expect(await openCreatorKey(elsewhere, userId)).toMatchObject({ apiKey: KEY });
    await keys.put(OTHER_KEY);
    onVaultChanged(elsewhere, '');
    expect(await openCreatorKey(elsewhere, userId)).toMatchObject({ apiKey: OTHER_KEY });
  });

  test('announces each change by name on vault_changed', async () => {
    const client = await keys.database.current.system.connect();
    const heard: string[] = [];
    client.on('notification', (message) => heard.push(message.payload ?? ''));
    await client.query('LISTEN vault_changed');
    await keys.put();
    await keys.call(deleteOpenrouter);
    await client.query('SELECT 1');
    client.release(true);
    expect(heard).toEqual(Array(2).fill(`openrouter:${keys.world.user.userId}`));
  });

  test('moved to another user’s row does not open', async () => {
    await keys.put();
    const thief = await keys.makeWorld();
    await keys.call(putOpenrouter, { apiKey: OTHER_KEY }, thief);
    await keys.database.current.system.query(
      `UPDATE user_openrouter_integrations SET sealed_key =
         (SELECT sealed_key FROM user_openrouter_integrations WHERE owner_id = $1) WHERE owner_id = $2`,
      [keys.world.user.userId, thief.user.userId],
    );
    expect(
      await refusal(openCreatorKey(keys.vault, thief.user.userId).catch((error) => Promise.reject(error))),
    ).toContain('internal');
    keys.vault.cache.clear();
    expect(await refusal(openCreatorKey(keys.vault, thief.user.userId))).toContain('internal');
  });
});
