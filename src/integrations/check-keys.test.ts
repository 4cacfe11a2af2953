import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ProviderAnswer } from '#integrations/index.ts';
import { KEY, useIntegrationWorld } from '../../tests/support/integration-world.ts';
import { migrateToyService, openToyService } from '../../tests/support/toy-integration.ts';
import { checkKeys } from './index.ts';
import { noChats } from '../../tests/support/no-chats.ts';

const askNobody = () => Promise.reject(new Error('This service asks nobody else.'));
const good = (hasCredit: boolean | null): ProviderAnswer => ({
  ok: true,
  label: 'bot',
  shown: { room: 'lobby', members: 3 },
  hasCredit,
});
const EMPTY = 'No credits are left. Add some at https://toychat.example/credits.';
const empty: ProviderAnswer = { ok: false, verdict: 'refused', detail: EMPTY };
const at = useIntegrationWorld(
  (ask) => ({
    service: openToyService(ask),
    clients: { ...noChats, openRouter: { getKey: askNobody, getCredits: askNobody } },
    given: (token) => ({ token, room: 'lobby' }),
    good: () => good(true),
    shown: { room: 'lobby', members: 3 },
    malformed: [],
  }),
  migrateToyService,
);
const MINUTE_MS = 60_000;

beforeEach(async () => {
  await at.put();
  at.world.asked = 0;
});

// The next test's turn is not for this one's key.
afterEach(() => at.switch(false));

const check = () => checkKeys({ ...at.deps, log: { warn: () => {} } });
const later = (minutes: number) => void (at.toy.clock.nowMs += minutes * MINUTE_MS);
const answer = (said: ProviderAnswer) => {
  at.world.answer = said;
};

test('a key that was looked at a moment ago is left alone, later it is asked about and what is said is kept', async () => {
  later(29);
  await check();
  expect(at.world.asked).toBe(0);
  later(1);
  await check();
  expect(at.world.asked).toBe(1);
  expect(await at.get()).toMatchObject({ lastCheckedAt: new Date(at.toy.clock.nowMs).toISOString(), isValid: true });
  expect(await at.findResource()).toMatchObject({ state: 'published' });
});

test('credits that ran out pause what needs the key and say what to do, credits that are back resume it', async () => {
  later(30);
  answer(empty);
  await check();
  expect(await at.get()).toMatchObject({ isValid: false, lastProblem: EMPTY });
  expect(await at.findResource()).toMatchObject({
    state: 'paused',
    cause: expect.stringMatching(/Add some at https:\/\/toychat\.example\/credits\..*POST .*\/toy\/test/),
  });
  expect(await at.openKey()).toBeNull();
  later(4);
  answer(good(true));
  await check();
  expect(await at.get()).toMatchObject({ isValid: true, lastProblem: null });
  expect(await at.findResource()).toEqual({ state: 'published', cause: null });
  expect(await at.openKey()).toBe(KEY);
});

test('a provider that cannot be asked changes nothing', async () => {
  later(30);
  const before = await at.get();
  answer({ ok: false, verdict: 'unclear', detail: 'Not reached.' });
  await check();
  expect(at.world.asked).toBe(1);
  expect(await at.get()).toEqual(before);
  expect(await at.findResource()).toMatchObject({ state: 'published' });
});

test('a refusal that a call met stands for an hour where the provider does not say what money there is', async () => {
  await at.refuse(KEY, 'Used up.');
  later(5);
  answer(good(null));
  await check();
  expect(await at.get()).toMatchObject({ isValid: false, lastProblem: 'Used up.' });
  later(55);
  await check();
  expect(await at.get()).toMatchObject({ isValid: true });
  expect(await at.findResource()).toMatchObject({ state: 'published' });
});

test('a refusal that a call met ends as soon as the provider says that money is there', async () => {
  await at.refuse(KEY, 'Used up.');
  later(5);
  answer(good(true));
  await check();
  expect(await at.findResource()).toMatchObject({ state: 'published' });
});

test('a refusal that a call meets while the provider is asked is not undone by the answer', async () => {
  later(30);
  at.world.answer = async () => {
    later(0.01);
    await at.refuse(KEY, 'Used up.');
    return good(true);
  };
  await check();
  expect(await at.get()).toMatchObject({ isValid: false, lastProblem: 'Used up.' });
  expect(await at.findResource()).toMatchObject({ state: 'paused' });
});

test('a key whose account was empty is not good again because the provider no longer says what is left, for an hour', async () => {
  later(30);
  answer({ ...empty, shown: { room: 'lobby', members: 0 }, hasCredit: false });
  await check();
  expect(await at.get()).toMatchObject({ isValid: false, members: 0 });
  later(5);
  answer(good(null));
  await check();
  expect(await at.get()).toMatchObject({ isValid: false, lastProblem: EMPTY });
  expect(await at.findResource()).toMatchObject({ state: 'paused' });
  later(60);
  await check();
  expect(await at.get()).toMatchObject({ isValid: true });
});

test('the time of the last word on credits moves only when the provider says something of them', async () => {
  const read = async () => {
    const { rows } = await at.database.current.system.query<{ told: Date | null }>(
      'SELECT last_credit_check AS told FROM user_toy_integrations WHERE owner_id = $1',
      [at.world.user.userId],
    );
    return rows[0]?.told?.getTime() ?? null;
  };
  const storedAt = at.toy.clock.nowMs;
  expect(await read()).toBe(storedAt);
  later(30);
  answer(good(null));
  await check();
  expect(await at.get()).toMatchObject({ lastCheckedAt: new Date(at.toy.clock.nowMs).toISOString() });
  expect(await read()).toBe(storedAt);
  later(30);
  answer(good(true));
  await check();
  const toldAt = at.toy.clock.nowMs;
  expect(await read()).toBe(toldAt);
  later(30);
  answer({ ...empty, shown: { room: 'lobby', members: 3 }, hasCredit: null });
  await check();
  expect(await read()).toBe(toldAt);
  later(30);
  answer({ ...empty, shown: { room: 'lobby', members: 0 }, hasCredit: false });
  await check();
  expect(await read()).toBe(at.toy.clock.nowMs);
});

test.each(['unclear', 'doubtful', 'failed'] as const)(
  'a key whose look is %s waits for its next time like any other',
  async (kind) => {
    if (kind === 'doubtful') {
      await at.refuse(KEY, 'Used up.');
    }
    later(30);
    at.world.answer = {
      unclear: { ok: false as const, verdict: 'unclear' as const, detail: 'Not reached.' },
      doubtful: good(null),
      failed: () => Promise.reject(new Error('a fault of the program')),
    }[kind];
    await check();
    await check();
    expect(at.world.asked).toBe(1);
    later(30);
    await check();
    expect(at.world.asked).toBe(2);
  },
);

test('a provider that is down is asked about a few keys only in one turn', async () => {
  const more = await Promise.all(Array.from({ length: 20 }, () => at.makeWorld()));
  for (const { user } of more) {
    await at.put(KEY, user);
  }
  at.world.asked = 0;
  later(30);
  answer({ ok: false, verdict: 'unclear', detail: 'Not reached.' });
  await check();
  expect(at.world.asked).toBeGreaterThanOrEqual(10);
  expect(at.world.asked).toBeLessThan(14);
  answer(good(true));
  await check();
  expect(at.world.asked).toBe(21);
  await Promise.all(more.map(({ user }) => at.switch(false, user)));
});

test('a key that its owner has switched off is not asked about', async () => {
  await at.switch(false);
  later(60);
  await check();
  expect(at.world.asked).toBe(0);
});
