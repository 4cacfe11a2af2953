import { describe, expect, test } from 'vitest';
import { listIntegrations, type ProviderAnswer } from '#integrations/index.ts';
import { anonymous, sha256Hex, type User } from '#kit/index.ts';
import { listAffected } from '#resources/index.ts';
import { KEY, OTHER_KEY, refusal, useIntegrationWorld, type Ask, type IntegrationCase } from './integration-world.ts';
import { describeAtomicity, describeOpenedKey, type At } from './integration-durability.ts';

/** What every service owes its owners; `migrate` makes its table where the migrations have not. */
export function describeIntegration<Given extends object, Shown extends object>(
  name: string,
  open: (ask: Ask) => IntegrationCase<Given, Shown>,
  migrate?: (url: string) => Promise<void>,
): void {
  describe(`the integration ${name}`, () => {
    const at = useIntegrationWorld(open, migrate);
    describeStoring(at);
    describeSwitching(at);
    describeAtomicity(at);
    describeOpenedKey(at);
  });
}

const refused = (detail: string): ProviderAnswer => ({ ok: false, verdict: 'refused', detail });
const unclear: ProviderAnswer = { ok: false, verdict: 'unclear', detail: 'Not reached.' };

function describeStoring(at: At): void {
  const { service } = at.tested;

  test('put checks the key, seals it and answers only what its owner may see', async () => {
    const stored = await at.put();
    expect(stored).toMatchObject({
      ...at.tested.shown,
      lastFour: '1111',
      keyHash: sha256Hex(KEY),
      isEnabled: true,
      isValid: true,
      lastProblem: null,
      lastCheckedAt: new Date(at.toy.clock.nowMs).toISOString(),
      resumed: [],
    });
    const { resumed: _resumed, ...view } = stored;
    expect(await at.get()).toEqual(view);
    const { rows } = await at.database.current.system.query(
      `SELECT i::text AS all FROM ${service.table} i WHERE owner_id = $1`,
      [at.world.user.userId],
    );
    expect(rows[0].all).not.toContain(KEY);
    expect(rows[0].all).not.toContain(Buffer.from(KEY).toString('hex'));
    expect(await at.openKey()).toBe(KEY);
  });

  test('put refuses a bad key with the reason, and nothing changes', async () => {
    at.world.answer = refused(`Nobody accepts ${KEY}.`);
    expect(await refusal(at.put())).toBe('unprocessable: Nobody accepts ….');
    expect(await refusal(at.get())).toContain('not_found');
    at.world.answer = at.tested.good();
    const before = await at.put();
    at.world.answer = refused('Used up.');
    expect(await refusal(at.put(OTHER_KEY))).toBe('unprocessable: Used up.');
    at.world.answer = unclear;
    expect(await refusal(at.put(OTHER_KEY))).toBe('unavailable: Not reached.');
    expect(await at.get()).toMatchObject({ lastFour: '1111', updatedAt: before.updatedAt });
    expect(await at.findResource()).toMatchObject({ state: 'published' });
  });

  test('put does not ask the provider about what has not the form of a key', async () => {
    for (const body of at.tested.malformed) {
      await expect(at.call(at.operations.put, at.deps, [at.world.user, body])).rejects.toMatchObject({
        code: 'invalid_input',
      });
    }
    expect(at.world.asked).toBe(0);
  });

  test('put keeps the key out of what is shown, even when the provider repeats it', async () => {
    at.world.answer = at.tested.good(`so this is ${KEY}`);
    expect(JSON.stringify(await at.put())).toContain('so this is …');
    expect(JSON.stringify(await at.get())).toContain('so this is …');
    at.world.answer = { ok: true, label: 'x'.repeat(5000), shown: at.tested.shown };
    expect(await refusal(at.put())).toContain('unavailable');
  });

  test('put and test ask the provider outside any transaction', async () => {
    at.world.answer = async () => {
      const { rows } = await at.database.current.system.query(
        `SELECT count(*)::int AS busy FROM pg_stat_activity
          WHERE datname = current_database() AND state LIKE 'idle in transaction%'`,
      );
      expect(rows).toEqual([{ busy: 0 }]);
      return at.tested.good();
    };
    await at.put();
    await at.test();
    expect(at.world.asked).toBe(2);
  });

  test('delete pauses what needs the key and names it; another key resumes it', async () => {
    await at.put();
    const named = { id: at.world.resourceId, kind: 'toy', slug: 'haiku', name: 'Haiku' };
    const list = listAffected(service);
    expect(await at.call(list, at.toy.deps, [at.world.user, {}])).toEqual({
      items: [{ ...named, state: 'published' }],
    });
    expect(await at.delete()).toEqual({
      deleted: true,
      paused: [{ ...named, state: 'paused' }],
      stillSelling: [],
      note: null,
    });
    expect(await at.findResource()).toEqual({
      state: 'paused',
      cause: `Your ${service.provider} ${service.credential} was deleted. Store another one with PUT /api/user/integrations/${service.name}.`,
    });
    expect(await at.openKey()).toBeNull();
    expect(await refusal(at.get())).toContain('not_found');
    expect(await refusal(at.delete())).toContain('not_found');
    expect(await at.put(OTHER_KEY)).toMatchObject({ resumed: [{ ...named, state: 'published' }] });
    expect(await at.findResource()).toEqual({ state: 'published', cause: null });
  });

  test('the list of services says how each connection stands and never the key', async () => {
    const named = { service: service.name, provider: service.provider, credential: service.credential };
    expect(await at.list()).toEqual({ items: [{ ...named, connection: null }] });
    await at.put();
    expect(await at.list()).toMatchObject({
      items: [{ ...named, connection: { lastFour: '1111', isEnabled: true, isValid: true, lastProblem: null } }],
    });
    await at.refuse(KEY, 'Used up.');
    expect(await at.list()).toMatchObject({ items: [{ connection: { isValid: false, lastProblem: 'Used up.' } }] });
  });

  test('every operation refuses a caller who is not signed in', async () => {
    const nobody = anonymous as unknown as User;
    const { put: _put, update: _update, ...others } = at.operations;
    for (const declared of Object.values(others)) {
      expect(await refusal(at.call(declared as typeof others.get, at.deps, [nobody, {}]))).toContain('unauthenticated');
    }
    expect(await refusal(at.call(listIntegrations, at.deps, [nobody, {}]))).toContain('unauthenticated');
    expect(await refusal(at.put(KEY, nobody))).toContain('unauthenticated');
    expect(await refusal(at.switch(true, nobody))).toContain('unauthenticated');
  });
}

function describeSwitching(at: At): void {
  const { provider, credential } = at.tested.service;

  test('switching off pauses and hides the key from calls, switching on brings both back', async () => {
    await at.put();
    expect(await at.switch(false)).toMatchObject({ isEnabled: false, paused: [{ id: at.world.resourceId }] });
    expect(await at.findResource()).toEqual({
      state: 'paused',
      cause: expect.stringMatching(`^Your ${provider} ${credential} is switched off\\. Switch it on with PATCH `),
    });
    expect(await at.openKey()).toBeNull();
    expect(await at.switch(true)).toMatchObject({ isEnabled: true, resumed: [{ id: at.world.resourceId }] });
    expect(await at.openKey()).toBe(KEY);
    expect(await refusal(at.switch(true, (await at.makeWorld()).user))).toContain('not_found');
  });

  test('a test keeps what the provider says; a refused key is paused until it is good again', async () => {
    await at.put();
    at.toy.clock.nowMs += 60_000;
    at.world.answer = at.tested.good('renamed');
    expect(await at.test()).toMatchObject({ ok: true, problem: null, integration: { lastProblem: null } });
    expect(JSON.stringify(await at.get())).toContain('renamed');
    at.world.answer = refused('Used up.');
    expect(await at.test()).toMatchObject({ ok: false, problem: 'Used up.', integration: { isValid: false } });
    expect(await at.findResource()).toMatchObject({ state: 'paused' });
    expect(await at.openKey()).toBeNull();
    at.world.answer = unclear;
    expect(await at.test()).toMatchObject({ ok: false, integration: { lastProblem: 'Used up.' } });
    at.world.answer = at.tested.good();
    expect(await at.test()).toMatchObject({ ok: true, integration: { isValid: true } });
    expect(await at.findResource()).toMatchObject({ state: 'published' });
  });

  test('a slow test of an old key says nothing about its successor', async () => {
    await at.put();
    const asked = Promise.withResolvers<void>();
    const verdict = Promise.withResolvers<ProviderAnswer>();
    at.world.answer = () => {
      asked.resolve();
      return verdict.promise;
    };
    const testing = at.test();
    await asked.promise;
    at.world.answer = at.tested.good();
    await at.put(OTHER_KEY);
    verdict.resolve(refused('Revoked.'));
    expect(await testing).toMatchObject({ ok: false });
    expect(await at.get()).toMatchObject({ lastFour: '2222', isValid: true, lastProblem: null });
    expect(await at.findResource()).toMatchObject({ state: 'published' });
  });

  test('a key refused in a call is not used again, its successor is', async () => {
    await at.put();
    await at.refuse(OTHER_KEY, 'x');
    expect(await at.findResource()).toMatchObject({ state: 'published' });
    expect(await at.openKey()).toBe(KEY);
    await at.refuse(KEY, `refused ${KEY}`);
    expect(await at.openKey()).toBeNull();
    expect(await at.get()).toMatchObject({ isValid: false, lastProblem: 'refused …' });
    expect(await at.findResource()).toMatchObject({ state: 'paused' });
    await at.put(OTHER_KEY);
    expect(await at.openKey()).toBe(OTHER_KEY);
    expect(await at.findResource()).toMatchObject({ state: 'published' });
  });
}
