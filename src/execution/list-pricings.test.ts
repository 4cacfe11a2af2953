import { expect, test } from 'vitest';
import { z } from 'zod';
import type { ModelEndpoint } from '#models/index.ts';
import { parameterSchema } from '#resources/parameter.ts';
import { knownModel } from '../../tests/support/execution-deps.ts';
import { chatSettings } from './chat-settings.ts';
import { findUsualPricing, listPricings, toCaps } from './list-pricings.ts';
import { findNamedModel, type UsableModel } from './named-model.ts';
import { openContract } from './output-contract.ts';
import type { ProviderSettings } from './provider-settings.ts';
import { quoteCost } from './quote-cost.ts';
import { toChatRequest } from './to-chat-request.ts';
import { toProvider } from './to-provider.ts';

const chatSettingsSchema = z.strictObject(chatSettings);

const endpoint = (tag: string, prompt: string, more: Partial<ModelEndpoint> = {}): ModelEndpoint => ({
  tag,
  providerName: tag,
  pricing: { prompt, completion: prompt },
  contextLength: null,
  maxCompletionTokens: null,
  quantization: 'unknown',
  supportedParameters: ['max_tokens'],
  status: 0,
  uptime30m: null,
  uptime1d: null,
  latencySeconds: null,
  tokensPerSecond: null,
  ...more,
});

const model = knownModel({
  pricing: { prompt: '0.000002', completion: '0.000002' },
  endpoints: [
    endpoint('cheap', '0.000001', { quantization: 'fp8' }),
    endpoint('usual', '0.000002'),
    endpoint('usual/priority', '0.000008'),
    endpoint('dear', '0.000004', { quantization: 'bf16', supportedParameters: ['max_tokens', 'temperature'] }),
  ],
});
const prompts = (provider: ProviderSettings | undefined, more = {}) =>
  listPricings(model, { provider, ...more }).map(({ prompt }) => Number(prompt) * 1e6);

test.each<[string, ProviderSettings | undefined, number[]]>([
  ['without a choice all may answer, and the list price counts', undefined, [2, 1, 2, 8, 4]],
  ['an order alone keeps nobody out', { order: ['cheap'] }, [2, 1, 2, 8, 4]],
  ['an order without fallbacks does', { order: ['cheap', 'dear'], allowFallbacks: false }, [1, 4]],
  ['a provider names its variants too', { only: ['usual'] }, [2, 8]],
  ['a variant names itself alone', { only: ['Usual/Priority'] }, [8]],
  ['some are ignored', { ignore: ['usual'] }, [1, 4]],
  ['by quantization', { quantizations: ['fp8', 'bf16'] }, [1, 4]],
  ['by price, per million tokens', { maxPrice: { prompt: '2', completion: '2' } }, [1, 2]],
  ['nobody', { only: ['unheard-of'] }, []],
  ['privacy is not told by the list, so all count', { zdr: true, dataCollection: 'deny' }, [2, 1, 2, 8, 4]],
])('who may answer: %s', (_what, provider, expected) => {
  expect(prompts(provider)).toEqual(expected);
});

test('only those that take every setting may answer where that is asked', () => {
  expect(prompts({ requireParameters: true }, { temperature: 0.5 })).toEqual([4]);
  expect(prompts({ requireParameters: true })).toEqual([1, 2, 8, 4]);
});

test.each([
  { takes: ['structured_outputs', 'response_format'], only: ['usual'], expected: [2] },
  { takes: ['response_format'], only: ['usual'], expected: [2] },
  // Its prompt alone asks.
  { takes: [], only: ['usual'], expected: [2, 4] },
  { takes: ['structured_outputs'], only: ['usual/plain'], expected: [] },
])(
  'JSON of a model that takes $takes comes from providers that take it too: $expected',
  ({ takes, only, expected }) => {
    const able = knownModel({
      supportedParameters: takes,
      endpoints: [
        endpoint('usual', '0.000002', { supportedParameters: ['structured_outputs', 'response_format'] }),
        endpoint('usual/plain', '0.000004'),
      ],
    });
    const found = listPricings(able, { provider: { only }, outputSchema: { type: 'object' } });
    expect(found.map(({ prompt: price }) => Number(price) * 1e6)).toEqual(expected);
  },
);

test('where nobody has told the providers, the list price counts, within what the creator allows', () => {
  const unknown = knownModel({ endpoints: null });
  expect(listPricings(unknown, { provider: { only: ['x'] } })).toEqual([unknown.pricing]);
  expect(listPricings(unknown, { provider: { maxPrice: { completion: '1.9' } } })).toEqual([]);
});

test('a call typically costs what the first of the order asks, the cheapest of a choice, else the list price', () => {
  const usual = (provider?: ProviderSettings) => findUsualPricing(model, { provider })?.prompt;
  expect([usual(), usual({ order: ['dear'] }), usual({ ignore: ['cheap'] }), usual({ only: ['nobody'] })]).toEqual([
    '0.000002',
    '0.000004',
    '0.000002',
    undefined,
  ]);
});

async function named(known: typeof model, name = known.openrouterId): Promise<UsableModel> {
  return { ...(await findNamedModel({ findModel: () => known }, name)), model: known };
}

const prompt = { typicalTokens: 10, worstTokens: 1_000 };

test('the caps are the dearest that a prompt of this length can reach, exact and per million', async () => {
  const tiers = {
    prompt: '0.0000012',
    completion: '0.000003',
    overrides: [{ min_prompt_tokens: 500, prompt: '0.0000031' }],
  };
  expect(toCaps([{ pricing: tiers, promptTokens: 500 }])?.prompt).toBe('0.0000012');
  expect(toCaps([{ pricing: tiers, promptTokens: 501 }])?.prompt).toBe('0.0000031');
  const asked = { models: [await named(knownModel({ pricing: { ...tiers, request: '0.01' } }))], prompt };
  expect(toProvider({ ...asked, settings: { maxTokens: 10 } })).toEqual({
    maxPrice: { prompt: '3.1', completion: '3', request: '0.01' },
  });
});

test('a schema that stands in the prompt is reckoned once in the prices that are sent, as in the worst case', async () => {
  const outputSchema = { type: 'object', properties: { text: { type: 'string', description: 'x'.repeat(600) } } };
  const settings = chatSettingsSchema.parse({ maxTokens: 10, outputSchema });
  const messages = [{ role: 'user' as const, content: 'Answer.' }];
  // Once it has about 800 bytes with what stands around it, twice 1,500.
  const tiers = { prompt: '0.000001', completion: '0', overrides: [{ min_prompt_tokens: 1_000, prompt: '0.000009' }] };
  const models = [await named(knownModel({ pricing: tiers, supportedParameters: ['max_tokens'] }))];
  const request = toChatRequest({ models, settings, messages, contract: openContract(settings) });
  expect(JSON.stringify(request.messages)).toContain('x'.repeat(600));
  expect(request.provider?.maxPrice?.prompt).toBe('1');
});

test('of models that stand in for each other, each is reckoned at the dearest price that the call may be served at', async () => {
  const reads = await named(knownModel({ openrouterId: 'a/reads', pricing: { prompt: '0.01', completion: '0' } }));
  const writes = await named(knownModel({ openrouterId: 'a/writes', pricing: { prompt: '0', completion: '0.1' } }));
  const call = { models: [reads, writes], settings: { maxTokens: 100 }, prompt };
  expect(quoteCost(call)?.worstUsd).toBe('20');
});

test('a cache that providers write by themselves counts where that is dearer than reading the prompt', async () => {
  const caches = knownModel({ pricing: { prompt: '0.01', completion: '0', input_cache_write: '0.0125' } });
  const call = { models: [await named(caches)], settings: { maxTokens: 100 }, prompt };
  expect(quoteCost(call)?.worstUsd).toBe('12.5');
  // What providers are compared by is the price of the prompt itself.
  expect(toProvider(call)?.maxPrice?.prompt).toBe('10000');
});

test('no price is sent where none is known, but for what the creator allows', async () => {
  const router = knownModel({ isRouter: true, pricing: { prompt: '-1', completion: '-1' } });
  const call = { models: [await named(router)], prompt };
  expect(toProvider({ ...call, settings: { maxTokens: 10 } })).toBeUndefined();
  const maxPrice = { prompt: '1' };
  expect(toProvider({ ...call, settings: { maxTokens: 10, provider: { maxPrice } } })).toEqual({ maxPrice });
});

test('what the creator allows is sent where it is less than the prices of some hours', async () => {
  const nightly = { utc_start: 0, utc_end: 600, prompt: '0.000004', completion: '0.000001' };
  const pricing = { prompt: '0.000002', completion: '0.000002', overrides: [nightly] };
  const provider = { maxPrice: { prompt: '3', completion: '9' } };
  const call = { models: [await named(knownModel({ pricing }))], prompt, settings: { maxTokens: 10, provider } };
  expect(toProvider(call)?.maxPrice).toEqual({ prompt: '3', completion: '2', request: '0' });
});

test('a file costs at worst what the dearest provider charges for it, not what the catalogue says', async () => {
  const flat = { prompt: '0.000001', completion: '0.000001' };
  const pricing = { ...flat, image: '0.05' };
  const endpoints = [
    endpoint('near', flat.prompt, { pricing }),
    endpoint('far', flat.prompt, { pricing: { ...pricing, image: '0.09' } }),
    // Leaves out what a picture costs.
    endpoint('silent', flat.prompt),
  ];
  const models = [await named(knownModel({ inputModalities: ['text', 'image'], pricing, endpoints }))];
  const settings = chatSettingsSchema.parse({ maxTokens: 1_000 });
  const inputs = [parameterSchema.parse({ name: 'it', type: 'image', maxPixels: 1 })];
  const nothing = { typicalTokens: 0, worstTokens: 0 };
  const quote = (more: object = {}) =>
    quoteCost({ models, settings: { ...settings, ...more }, prompt: nothing, inputs })?.worstUsd;
  expect(quote()).toBe('0.0936');
  expect(quote({ provider: { only: ['near'] } })).toBe('0.0536');
  expect(quote({ provider: { only: ['silent'] } })).toBe('0.0536');
});
