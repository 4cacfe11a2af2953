import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ProviderAnswer } from '#integrations/index.ts';
import { KEY, useIntegrationWorld } from '../../tests/support/integration-world.ts';
import { migrateToyService, openToyService } from '../../tests/support/toy-integration.ts';
import { checkKeys } from './index.ts';

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
    clients: { openRouter: { getKey: askNobody, getCredits: askNobody } },
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

test('a key that its owner has switched off is not asked about', async () => {
  await at.switch(false);
  later(60);
  await check();
  expect(at.world.asked).toBe(0);
});
