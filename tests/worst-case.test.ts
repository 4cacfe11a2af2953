import { Big } from 'big.js';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { askForOutput } from '#execution/ask-for-output.ts';
import type { ChatSettings } from '#execution/chat-settings.ts';
import { listModalities } from '#execution/inputs/input-modalities.ts';
import { measureMessages } from '#execution/measure-prompt.ts';
import { chooseModels } from '#execution/named-model.ts';
import { openContract } from '#execution/output-contract.ts';
import { quoteCost } from '#execution/quote-cost.ts';
import { toChatRequest } from '#execution/to-chat-request.ts';
import type { KnownModel } from '#execution/index.ts';
import { systemClock } from '#kit/index.ts';
import type { MediaKind } from '#media/index.ts';
import { measureMedia } from '#media/index.ts';
import { judgeEndpoints } from '#models/endpoint.ts';
import { readSnapshot } from '#models/index.ts';
import { parseCatalogue } from '#models/parse-catalogue.ts';
import type { Parameter } from '#resources/index.ts';
import { parameterSchema } from '#resources/parameter.ts';
import { startOpenRouterSimulator, type OpenRouterSimulator } from '#sandbox/openrouter/start-simulator.ts';
import { openOpenRouter, type ContentPart, type OpenRouterClient } from '#upstreams/index.ts';
import { makeMp4, makePdf, makePng, makeWav } from './support/files.ts';

/*
 * Whatever a creator chooses, a buyer sends and OpenRouter routes, no call costs more than its quote said, by the bill of
 * the simulator.
 */
const names = [
  'openai/gpt-4o-mini',
  'anthropic/claude-haiku-4.5',
  'google/gemini-2.5-flash',
  'google/gemini-2.5-flash-image',
  'openai/gpt-4.1-mini',
  // Thinks always, and charges more for long prompts.
  'google/gemini-2.5-pro',
  // Writes every prompt to its cache.
  'openai/gpt-6-luna',
  // Reads text alone: its PDFs are scanned.
  'aion-labs/aion-2.0',
];
const listener = 'google/gemini-2.5-flash';
/** What the snapshot does not tell, and the real catalogue has. */
const morePrices: Readonly<Record<string, Record<string, string>>> = {
  'google/gemini-2.5-flash': { audio: '0.000001', internal_reasoning: '0.000004', image_token: '0.0000005' },
  'google/gemini-2.5-pro': { audio: '0.000003', internal_reasoning: '0', image: '0.00000125', request: '0.001' },
  'anthropic/claude-haiku-4.5': { image: '0.05', web_search: '0.01' },
};
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
let simulator: OpenRouterSimulator;
let client: OpenRouterClient;
const known = new Map<string, KnownModel>();

beforeAll(async () => {
  const snapshot = (await readSnapshot()).models as { id: string; pricing: Record<string, unknown> }[];
  const catalogue = snapshot.map((model) => ({ ...model, pricing: { ...model.pricing, ...morePrices[model.id] } }));
  simulator = await startOpenRouterSimulator({
    port: 0,
    measure: measureMedia,
    catalogue,
    latency: { firstTokenMs: 0, tokensPerSecond: 0 },
  });
  client = openOpenRouter({
    baseUrl: simulator.url,
    publicUrl: 'https://farebox.example',
    title: 'Farebox',
    log: silent,
  });
  const listed = parseCatalogue(catalogue).models.filter(({ openrouterId }) => names.includes(openrouterId));
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
  undefined,
  undefined,
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

/** A file that is as large as its parameter allows. */
interface Sent {
  parameter: Parameter;
  part: ContentPart;
}

function send(fields: Record<string, unknown>, part: { kind: MediaKind; contentType: string; bytes: Buffer }): Sent {
  return {
    parameter: parameterSchema.parse({ name: 'it', ...fields }),
    part: { type: 'media', ...part, filename: 'it' },
  };
}

const seconds = fc.integer({ min: 1, max: 90 });
const side = fc.integer({ min: 1, max: 1_600 });
const file = fc.oneof(
  { weight: 3, arbitrary: fc.constant(null) },
  seconds.map((maxSeconds) =>
    send({ type: 'audio', maxSeconds }, { kind: 'audio', contentType: 'audio/wav', bytes: makeWav(maxSeconds) }),
  ),
  seconds.map((maxSeconds) =>
    send({ type: 'video', maxSeconds }, { kind: 'video', contentType: 'video/mp4', bytes: makeMp4(maxSeconds) }),
  ),
  fc
    .integer({ min: 1, max: 300 })
    .map((maxPages) =>
      send({ type: 'pdf', maxPages }, { kind: 'file', contentType: 'application/pdf', bytes: makePdf(maxPages) }),
    ),
  fc.tuple(side, side).map(([width, height]) => {
    const caps = { type: 'image', maxPixels: width * height };
    return send(caps, { kind: 'image', contentType: 'image/png', bytes: makePng(width, height) });
  }),
);

const outputSchema = {
  type: 'object',
  properties: { name: { type: 'string' }, ages: { type: 'array', items: { type: 'integer' } } },
  required: ['name', 'ages'],
  additionalProperties: false,
};

const settings = fc.record(
  {
    reasoning: fc.oneof(
      fc.record({ effort: fc.constantFrom('none', 'low', 'high', 'xhigh') }),
      fc.record({ maxTokens: fc.integer({ min: 1, max: 400 }) }),
    ),
    pdfEngine: fc.constantFrom('native', 'mistral-ocr', 'cloudflare-ai'),
    webSearch: fc.record({
      engine: fc.constantFrom('exa', 'parallel', 'perplexity'),
      maxUses: fc.integer({ min: 1, max: 5 }),
      maxResults: fc.integer({ min: 1, max: 10 }),
    }),
    outputSchema: fc.constant(outputSchema),
  },
  { requiredKeys: [] },
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
  settings,
  file,
  /** Whether the first answer does not fit the outputSchema, so that a second turn is asked for. */
  isRepaired: fc.boolean(),
  /** Who fails, so that the next of the models answers. */
  down: fc.option(fc.constantFrom('simulated', 'simulated-plus'), { freq: 8 }),
  text: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 400 }),
  /** How prices change between the quote and the call. */
  rise: fc.constantFrom('1', '1', '1', '0.5', '1.2', '3'),
});

type Asked = typeof call extends fc.Arbitrary<infer T> ? T : never;

async function quoteAndAsk({ models, maxTokens, provider: chosen, text, rise, ...asked }: Asked) {
  const inputs = asked.file === null ? [] : [asked.file.parameter];
  const all: ChatSettings = {
    ...asked.settings,
    maxTokens,
    sellsTruncated: true,
    ...(chosen ? { provider: chosen } : {}),
  };
  const modalities = listModalities({ parameters: inputs, pdfEngine: all.pdfEngine });
  const find = { findModel: (id: string) => known.get(id) ?? null, clock: systemClock };
  const hears = modalities.includes('audio') || modalities.includes('video');
  // Few of the models hear and watch: one that does comes first then.
  const wanted = hears ? [...new Set([listener, ...models])] : models;
  const { usable } = await chooseModels(find, wanted, { modalities, declared: null });
  const content = asked.file === null ? text : [{ type: 'text' as const, text }, asked.file.part];
  const messages = [{ role: 'user' as const, content }];
  const quote = quoteCost({ models: usable, settings: all, prompt: measureMessages(messages), inputs });
  if (quote === null) {
    return null;
  }
  simulator.control.reset();
  for (const { model } of usable) {
    const { prompt, completion } = model.pricing;
    const times = (price: string): string => new Big(price).times(rise).toFixed();
    simulator.control.changePrice(model.openrouterId, { prompt: times(prompt), completion: times(completion) });
  }
  if (asked.down !== null) {
    simulator.control.setProviderDown(asked.down);
  }
  const contract = openContract(all);
  if (contract !== null && asked.isRepaired) {
    simulator.control.fail('json_invalid', { times: 1 });
  }
  const request = toChatRequest({ models: usable, settings: all, messages, contract, inputs });
  const { result, isRepaired } = await askForOutput(
    { upstream: client, clock: systemClock },
    { request, contract },
    { apiKey: simulator.keys.healthy, signal: new AbortController().signal, deadlineMs: Date.now() + 20_000 },
  );
  return { quote, result, isRepaired, request };
}

/** What happened: answered or not, and with what. What was refused before it began costs nothing. */
async function compare(asked: Asked): Promise<string[]> {
  const done = await quoteAndAsk(asked);
  if (done === null) {
    return ['not quoted'];
  }
  const { quote, result, isRepaired, request } = done;
  const billed = new Big(simulator.control.getBalance(simulator.keys.healthy).keyUsageUsd);
  const told = result.usage?.costUsd ?? (result.ok ? 'unknown' : '0');
  const isCapped = Object.values(request.provider?.maxPrice ?? {}).filter((price) => price !== undefined).length === 3;
  if (!isCapped || told === 'unknown' || !billed.eq(told) || billed.gt(quote.worstUsd)) {
    const { messages: _messages, ...sent } = request;
    throw new Error(
      `${billed.toFixed()} USD were billed and ${told} told where ${quote.worstUsd} was the worst: ${JSON.stringify(sent)}; ${quote.basis}`,
    );
  }
  const { file: given, settings: chosen } = asked;
  return [
    result.ok ? 'answered' : 'refused',
    ...(result.ok && given ? [given.parameter.type] : []),
    ...(result.ok && given?.parameter.type === 'pdf' ? [`read by ${chosen.pdfEngine ?? 'whoever'}`] : []),
    ...(result.ok && chosen.webSearch ? ['searched'] : []),
    ...(result.ok && (result.usage?.reasoningTokens ?? 0) > 0 ? ['thought'] : []),
    ...(result.ok && isRepaired ? ['repaired'] : []),
    ...(result.ok && !result.model?.startsWith(request.model.split(':')[0] ?? '') ? ['another model'] : []),
  ];
}

test('no call costs more than the worst case that was quoted, whoever answers and however prices have changed since', async () => {
  const seen: string[] = [];
  await fc.assert(
    fc.asyncProperty(call, async (asked) => void seen.push(...(await compare(asked)))),
    { seed: 402, numRuns: 600 },
  );
  const times = (what: string): number => seen.filter((one) => one === what).length;
  // All are seen: calls that are answered, in each way that costs, and prices that have become too high.
  expect(times('answered')).toBeGreaterThan(200);
  expect(times('refused')).toBeGreaterThan(20);
  const engines = ['native', 'mistral-ocr', 'cloudflare-ai', 'whoever'].map((engine) => `read by ${engine}`);
  const costly = ['audio', 'video', 'image', ...engines, 'searched', 'thought', 'repaired', 'another model'];
  expect(costly.filter((what) => times(what) < 3)).toStrictEqual([]);
}, 120_000);
