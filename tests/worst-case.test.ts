import { Big } from 'big.js';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { ChatSettings } from '#execution/chat-settings.ts';
import { measureMessages } from '#execution/measure-prompt.ts';
import { chooseModels } from '#execution/named-model.ts';
import { quoteCost } from '#execution/quote-cost.ts';
import { toChatRequest } from '#execution/to-chat-request.ts';
import type { KnownModel } from '#execution/index.ts';
import { systemClock } from '#kit/index.ts';
import { judgeEndpoints } from '#models/endpoint.ts';
import { readSnapshot } from '#models/index.ts';
import { parseCatalogue } from '#models/parse-catalogue.ts';
import { startOpenRouterSimulator, type OpenRouterSimulator } from '#sandbox/openrouter/start-simulator.ts';
import { openOpenRouter, type OpenRouterClient } from '#upstreams/index.ts';

/*
 * Whatever a creator chooses and OpenRouter routes, no call costs more than its quote said, by the bill of the simulator.
 */
const names = [
  'openai/gpt-4o-mini',
  'anthropic/claude-haiku-4.5',
  'google/gemini-2.5-flash',
  'google/gemini-2.5-flash-image',
  'openai/gpt-4.1-mini',
];
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
let simulator: OpenRouterSimulator;
let client: OpenRouterClient;
const known = new Map<string, KnownModel>();

beforeAll(async () => {
  const { models } = await readSnapshot();
  simulator = await startOpenRouterSimulator({
    port: 0,
    catalogue: models,
    latency: { firstTokenMs: 0, tokensPerSecond: 0 },
  });
  client = openOpenRouter({
    baseUrl: simulator.url,
    publicUrl: 'https://farebox.example',
    title: 'Farebox',
    log: silent,
  });
  const listed = parseCatalogue(models).models.filter(({ openrouterId }) => names.includes(openrouterId));
  for (const model of listed) {
    const { endpoints } = judgeEndpoints((await client.listEndpoints(model.openrouterId)) ?? [], []);
    known.set(model.openrouterId, {
      ...model,
      isActive: true,
      missingSince: null,
      oddSince: null,
      voices: null,
      endpoints,
    });
  }
});
afterAll(async () => {
  await client.close();
  await simulator.stop();
});
beforeEach(() => simulator.control.reset());

const provider = fc.constantFrom<ChatSettings['provider']>(
  undefined,
  { sort: 'throughput' },
  { only: ['simulated'] },
  { only: ['simulated-plus'] },
  { ignore: ['simulated'] },
  { order: ['simulated-plus'], allowFallbacks: false },
  { order: ['simulated-plus'] },
  { maxPrice: { completion: '5' } },
  { zdr: true, dataCollection: 'deny' },
);

const call = fc.record({
  models: fc.uniqueArray(
    fc
      .tuple(fc.constantFrom(...names), fc.constantFrom('', ':nitro', ':floor', ':online'))
      .map((parts) => parts.join('')),
    { minLength: 1, maxLength: 3 },
  ),
  maxTokens: fc.integer({ min: 16, max: 400 }),
  provider,
  text: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 400 }),
  /** How prices change between the quote and the call. */
  rise: fc.constantFrom('1', '0.5', '1.2', '3'),
});

type Asked = typeof call extends fc.Arbitrary<infer T> ? T : never;

async function quoteAndAsk({
  models,
  maxTokens,
  provider: chosen,
  text,
  rise,
}: typeof call extends fc.Arbitrary<infer T> ? T : never) {
  const { usable } = await chooseModels({ findModel: (id) => known.get(id) ?? null, clock: systemClock }, models);
  const settings: ChatSettings = { maxTokens, sellsTruncated: true, ...(chosen ? { provider: chosen } : {}) };
  const messages = [{ role: 'user' as const, content: text }];
  const quote = quoteCost({ models: usable, settings, prompt: measureMessages(messages) });
  if (quote === null) {
    return null;
  }
  simulator.control.reset();
  for (const { model } of usable) {
    const { prompt, completion } = model.pricing;
    const times = (price: string): string => new Big(price).times(rise).toFixed();
    simulator.control.changePrice(model.openrouterId, { prompt: times(prompt), completion: times(completion) });
  }
  const signal = new AbortController().signal;
  const request = toChatRequest({ models: usable, settings, messages, contract: null });
  const result = await client.chat(request, {
    apiKey: simulator.keys.healthy,
    signal,
    deadlineMs: Date.now() + 20_000,
  });
  return { quote, result, request };
}

/** What a call was billed, in USD; what was refused before it began costs nothing. */
async function compare(asked: Asked): Promise<'answered' | 'refused' | 'not quoted'> {
  const done = await quoteAndAsk(asked);
  if (done === null) {
    return 'not quoted';
  }
  const { quote, result, request } = done;
  const billed = result.usage?.costUsd ?? (result.ok ? 'unknown' : '0');
  const isCapped = Object.values(request.provider?.maxPrice ?? {}).filter((price) => price !== undefined).length === 3;
  if (!isCapped || billed === 'unknown' || new Big(billed).gt(quote.worstUsd)) {
    throw new Error(`${billed} USD were billed where ${quote.worstUsd} was the worst: ${JSON.stringify(request)}`);
  }
  return result.ok ? 'answered' : 'refused';
}

test('no call costs more than the worst case that was quoted, whoever answers and however prices have changed since', async () => {
  const seen: string[] = [];
  await fc.assert(
    fc.asyncProperty(call, async (asked) => void seen.push(await compare(asked))),
    { seed: 402, numRuns: 250 },
  );
  // Both are seen: calls that are answered, and prices that have become too high.
  expect(seen.filter((one) => one === 'answered').length).toBeGreaterThan(100);
  expect(seen.filter((one) => one === 'refused').length).toBeGreaterThan(10);
}, 60_000);
