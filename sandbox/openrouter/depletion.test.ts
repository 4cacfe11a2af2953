import { Big } from 'big.js';
import { expect, test } from 'vitest';
import { askSimulator } from '../../tests/support/ask-simulator.ts';
import { parseStream } from '../../tests/support/read-simulator-answer.ts';
import { useSimulator } from '../../tests/support/use-simulator.ts';

/** Accounts and keys that run dry while several requests run. */

const simulator = useSimulator({ generationDelayMs: 0 });

interface Answered {
  status: number;
  usage: { cost: number } | null;
  error: { message: string; metadata: Record<string, unknown> } | null;
}

/** Streams, because they hold what they may cost until they end; answers in one piece are paid for as they are asked for. */
function askTogether(count: number, key: string): Promise<Answered[]> {
  simulator.control.setLatency({ firstTokenMs: 20 });
  return Promise.all(
    Array.from({ length: count }, async (_, at) => {
      const body = { ...small, messages: [{ role: 'user', content: `Question ${at}` }] };
      const response = await askSimulator(simulator, body, { key });
      const text = await response.text();
      const { status } = response;
      return status === 200
        ? { status, usage: parseStream(text).events.at(-1)?.usage ?? null, error: null }
        : { status, usage: null, error: (JSON.parse(text) as Pick<Answered, 'error'>).error };
    }),
  );
}

/** May cost up to 0.0009 USD. */
const small = { stream: true, max_tokens: 500 };
const hanging = { 'x-sim-fault': 'slow_body' };

const costs = (answers: readonly Answered[]) =>
  answers.reduce((sum, { usage }) => sum.plus(usage?.cost ?? 0), new Big(0));

test('streams at once hold what is left of a small account; one more is told to wait, and is served afterwards', async () => {
  const key = simulator.keys.nearlyEmpty;
  simulator.control.setCredits(key, '0.002');
  simulator.control.setSlowMs(600_000);
  const left = new AbortController();
  const slow = { key, headers: hanging, signal: left.signal };
  const running = [await askSimulator(simulator, small, slow), await askSimulator(simulator, small, slow)];
  expect(running.map(({ status }) => status)).toEqual([200, 200]);
  expect(Number(simulator.control.getBalance(key).reservedUsd)).toBeGreaterThan(0.0016);
  const third = await askSimulator(simulator, small, { key });
  expect([third.status, third.headers.get('retry-after')]).toEqual([402, '2']);
  expect(await third.json()).toMatchObject({
    error: { metadata: { reason: 'in_flight_budget_exhausted', limit_source: 'openrouter_in_flight_budget' } },
  });
  left.abort();
  await expect.poll(() => simulator.control.getBalance(key).reservedUsd).toBe('0');
  expect((await askSimulator(simulator, small, { key })).status).toBe(200);
});

test('forty requests at once on an account for a few: what was answered is what was taken, the others are 402', async () => {
  const key = simulator.keys.nearlyEmpty;
  simulator.control.setCredits(key, '0.002');
  const before = simulator.control.getBalance(key).keyUsageUsd;
  const answers = await askTogether(40, key);
  simulator.control.setLatency({ firstTokenMs: 0 });
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 402]));
  const { creditsUsd, keyUsageUsd, reservedUsd } = simulator.control.getBalance(key);
  expect(new Big(keyUsageUsd).minus(before).toFixed()).toBe(costs(answers).toFixed());
  expect(new Big('0.002').minus(costs(answers)).toFixed()).toBe(creditsUsd);
  expect([reservedUsd, Number(creditsUsd) >= 0]).toEqual(['0', true]);
});

test('a key with a limit stops at it while another key of the account goes on', async () => {
  const { healthy, limited } = simulator.keys;
  simulator.control.setLimitRemaining(limited, '0.002');
  const [capped, free] = await Promise.all([askTogether(40, limited), askTogether(10, healthy)]);
  simulator.control.setLatency({ firstTokenMs: 0 });
  expect(new Set(free.map(({ status }) => status))).toEqual(new Set([200]));
  expect((await askSimulator(simulator, small, { key: limited })).status).toBe(402);
  for (const { error } of capped.filter(({ status }) => status !== 200)) {
    expect(error?.metadata).toMatchObject({ limit_source: 'openrouter_key_limit' });
    expect(error?.message).toMatch(/can only afford \d+|Key limit exceeded/);
  }
});

test('an account that is emptied while a request runs is billed for it into debt, and refuses the next', async () => {
  const key = simulator.keys.nearlyEmpty;
  simulator.control.setCredits(key, '0.01');
  simulator.control.setSlowMs(600_000);
  const left = new AbortController();
  const provider = { only: ['simulated-private'] };
  await askSimulator(simulator, { ...small, provider }, { key, headers: hanging, signal: left.signal });
  simulator.control.setCredits(key, '0');
  left.abort();
  await expect.poll(() => Number(simulator.control.getBalance(key).creditsUsd)).toBeLessThan(0);
  const refused = await askSimulator(simulator, small, { key });
  expect(await refused.json()).toMatchObject({ error: { metadata: { limit_source: 'openrouter_credits' } } });
});
