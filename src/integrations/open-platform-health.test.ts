import { beforeEach, expect, test } from 'vitest';
import { openDatabase } from '#database/index.ts';
import type { OpenRouterClient } from '#upstreams/index.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { openPlatformHealth } from './index.ts';
import { noChats } from '../../tests/support/no-chats.ts';

type KeyCheck = Awaited<ReturnType<OpenRouterClient['getKey']>>;
type Credits = Awaited<ReturnType<OpenRouterClient['getCredits']>>;

const database = useTestDatabase();
const API_KEY = 'sk-or-v1-operator-canary';
const clock = { nowMs: Date.parse('2026-01-02T23:00:00.000Z'), now: () => clock.nowMs };
const snapshot = { limit: null, limitRemaining: null, limitReset: null, usage: null, usageMonthly: null };
const good: KeyCheck = { ok: true, snapshot: { ...snapshot, label: null, isFreeTier: false, expiresAt: null } };
let key: KeyCheck;
let credits: Credits;
let logged: unknown[];

beforeEach(async () => {
  [key, credits, logged] = [good, { outcome: 'not_told' }, []];
  await database.current.system.query('DELETE FROM platform_key_outages');
});

function open(on = database.current) {
  const keep = (...line: unknown[]) => void logged.push(line);
  return openPlatformHealth({
    database: on,
    clients: { ...noChats, openRouter: { getKey: async () => key, getCredits: async () => credits } },
    clock,
    log: { error: keep, warn: keep },
    apiKey: API_KEY,
  });
}

test('a refusal that one process meets is known to others and after a restart, for a minute, and logged without the key', async () => {
  const elsewhere = openDatabase({ url: database.url, systemConnections: 1, userConnections: 1 });
  await open().report(`key_rejected: ${API_KEY} is revoked`);
  expect(await open(elsewhere).findOutage()).toBe(60);
  expect(JSON.stringify(logged)).toMatch(/revoked/);
  expect(JSON.stringify(logged)).not.toContain(API_KEY);
  clock.nowMs += 60_000;
  expect(await open(elsewhere).findOutage()).toBeNull();
  await elsewhere.close();
});

test('a look at the key finds that it is dead or empty before any call does, and ends what it found itself', async () => {
  const health = open();
  key = { ok: false, reason: 'invalid_key', detail: 'Revoked.' };
  await health.check();
  expect(await health.findOutage()).toBeGreaterThan(300);
  key = good;
  await health.check();
  expect(await health.findOutage()).toBeNull();
  credits = { outcome: 'known', balanceUsd: '-0.01' };
  await health.check();
  expect(await health.findOutage()).toBeGreaterThan(300);
});

test('what a call found ends early only when the provider says that money is there; one that cannot be asked changes nothing', async () => {
  const health = open();
  await health.report('out_of_credits: none');
  for (const outcome of ['not_told', 'unreachable'] as const) {
    credits = { outcome };
    await health.check();
    expect(await health.findOutage()).toBe(60);
  }
  credits = { outcome: 'known', balanceUsd: '5' };
  await health.check();
  expect(await health.findOutage()).toBeNull();
});
