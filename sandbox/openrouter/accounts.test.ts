import { Big } from 'big.js';
import { describe, expect, test } from 'vitest';
import { authenticate, checkRate, debit, remainingOfLimit, reserve, spentIn } from './accounts.ts';
import { createDemoKeys, demoKeys } from './demo-keys.ts';
import type { ApiKey } from './api-key.ts';
import type { DemoKeyName } from './demo-keys.ts';
import { isRefusal } from './refusal.ts';
import type { Refusal } from './refusal.ts';

const NOW = Date.UTC(2026, 10, 21, 12);
const DAY_MS = 86_400_000;

function open(name: DemoKeyName): ApiKey {
  const key = createDemoKeys().get(demoKeys[name]);
  if (key === undefined) {
    throw new Error(`no key ${name}`);
  }
  return key;
}

const estimate = (prompt: string, perToken: string, maxTokens: number) => ({
  prompt: new Big(prompt),
  perToken: new Big(perToken),
  maxTokens,
});

function refusalOf(outcome: object): Refusal {
  if (!isRefusal(outcome)) {
    throw new Error('was not refused');
  }
  return outcome;
}

describe('authenticate', () => {
  const keys = createDemoKeys();
  test.each([
    [undefined, 'Missing Authentication header'],
    ['Basic abc', 'Missing Authentication header'],
    ['Bearer sk-or-v1-nobody', 'User not found.'],
    [`Bearer ${demoKeys.disabled}`, 'This API key is disabled.'],
    [`Bearer ${demoKeys.expired}`, 'This API key has expired.'],
  ])('a request with the Authorization header %s is refused', (header, message) => {
    const refusal = refusalOf(authenticate(keys, header, NOW));
    expect(refusal.error).toStrictEqual({ message, code: 401 });
  });
});

describe('reserve', () => {
  test('an empty account is told to add credits', () => {
    const refusal = refusalOf(reserve(open('empty'), estimate('0.001', '0.00001', 10), NOW));
    expect(refusal.error.message).toMatch(/^Insufficient credits/);
    expect(refusal.error.metadata).toStrictEqual({ limit_source: 'openrouter_credits' });
  });

  test('an account that never bought credits is told so, yet may use free models', () => {
    const key = open('freeTier');
    expect(refusalOf(reserve(key, estimate('0.001', '0', 1), NOW)).error.message).toContain('never purchased');
    expect(isRefusal(reserve(key, estimate('0', '0', 100), NOW))).toBe(false);
  });

  test('what can be afforded stands in the message', () => {
    const refusal = refusalOf(reserve(open('nearlyEmpty'), estimate('0.01', '0.0001', 4096), NOW));
    expect(refusal.error.message).toContain('You requested up to 4096 tokens, but can only afford 100.');
  });

  test('a used up key limit and a key limit that is too small name the key', () => {
    expect(refusalOf(reserve(open('exhausted'), estimate('0.01', '0', 1), NOW)).error.metadata).toStrictEqual({
      limit_source: 'openrouter_key_limit',
    });
    const tooDear = refusalOf(reserve(open('limited'), estimate('0.06', '0', 1), NOW));
    expect(tooDear.error.metadata).toStrictEqual({ limit_source: 'openrouter_key_limit' });
  });

  test('running requests hold the credits of a small account until they are released', () => {
    const key = open('nearlyEmpty');
    const first = reserve(key, estimate('0.015', '0', 1), NOW);
    const second = refusalOf(reserve(key, estimate('0.015', '0', 1), NOW));
    expect(second.error.metadata?.['reason']).toBe('in_flight_budget_exhausted');
    expect(second.headers).toStrictEqual({ 'retry-after': '2' });
    if (!isRefusal(first)) {
      first.release();
      first.release();
    }
    expect(key.account.reserved.toFixed()).toBe('0');
    expect(isRefusal(reserve(key, estimate('0.015', '0', 1), NOW))).toBe(false);
  });
});

test('limits reset with their period; ten thousand debits lose nothing', () => {
  const key = open('limited');
  debit(key, new Big('0.05'), Date.UTC(2026, 9, 31, 23));
  expect(remainingOfLimit(key, Date.UTC(2026, 9, 31, 23, 30))?.toFixed()).toBe('0');
  expect(remainingOfLimit(key, NOW)?.toFixed()).toBe('0.05');
  for (let count = 0; count < 10_000; count += 1) {
    debit(key, new Big('0.0000001'), NOW - (count % 3) * DAY_MS);
  }
  expect(spentIn(key, 'ever', NOW).toFixed()).toBe('0.051');
  expect(spentIn(key, 'monthly', NOW).toFixed()).toBe('0.001');
  expect(spentIn(key, 'daily', NOW).toFixed()).toBe('0.0003334');
  expect(key.spends.length).toBeLessThan(2_100);
});

test('free models are limited per minute and per day', () => {
  const key = open('freeTier');
  const refusals = Array.from({ length: 60 }, (_, at) => checkRate(key, true, NOW + at * 60_000)).filter(Boolean);
  expect(refusals).toHaveLength(10);
  expect(refusals[0]?.error.message).toContain('free-models-per-day');
  expect(refusals[0]?.error.metadata?.['limit_source']).toBe('openrouter_free_tier_daily');
  const burst = open('freeTier');
  const quick = Array.from({ length: 21 }, () => checkRate(burst, true, NOW));
  expect(quick.at(-1)?.error.message).toContain('free-models-per-min');
  expect(checkRate(burst, true, NOW + DAY_MS)).toBe(null);
});
