import { Big } from 'big.js';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MAX_NUMBER_LENGTH } from '#kit/index.ts';
import { parameterSchema } from '#resources/parameter.ts';
import { knownModel } from '../../tests/support/execution-deps.ts';
import type { KnownModel } from './execution-deps.ts';
import { measureMessages, measurePrompt } from './measure-prompt.ts';
import { findNamedModel, type UsableModel } from './named-model.ts';
import { compilePrompt, renderMessages } from './prompt.ts';
import { quoteCost } from './quote-cost.ts';

const prompt = { typicalTokens: 100, worstTokens: 1_000 };
const plain = { maxTokens: 1_000 };
const webSearch = { engine: 'exa' as const, maxUses: 5, maxResults: 1 };
const outputSchema = { type: 'object' };

async function named(model: KnownModel, name = model.openrouterId): Promise<UsableModel> {
  const found = await findNamedModel({ findModel: (id) => (id === model.openrouterId ? model : null) }, name);
  return { ...found, model };
}

async function quote(
  more: Partial<KnownModel>,
  settings: Parameters<typeof quoteCost>[0]['settings'] = plain,
  suffix = '',
) {
  const model = knownModel({ maxCompletionTokens: 4_096, contextLength: 100_000, ...more });
  return quoteCost({ models: [await named(model, model.openrouterId + suffix)], settings, prompt });
}

test('a text call is quoted from its prompt and half of the tokens that it may write, at worst all of them', async () => {
  expect(await quote({ pricing: { prompt: '0.001', completion: '0.01', request: '0.5' } })).toEqual({
    typicalUsd: '5.6',
    worstUsd: '11.5',
    basis:
      "acme/poet at the catalogue's list prices: 100 to 1000 prompt tokens, 500 to 1000 completion tokens; four characters a token typically, one byte at worst. At worst for 1000 and 10000 USD per million tokens of prompt and answer: no dearer provider may answer.",
    tokens: { typicalInput: 100, worstInput: 1_000, maxOutput: 1_000, typicalOutput: 500 },
  });
});

test('tokens that the model cannot write or read are not quoted', async () => {
  const small = { maxCompletionTokens: 10, contextLength: 50, pricing: { prompt: '1', completion: '1' } };
  expect(await quote(small)).toMatchObject({ typicalUsd: '55', worstUsd: '60' });
});

test('a picture is quoted by its tokens: one of gemini-2.5-flash-image costs about 0.039 USD', async () => {
  const painter = {
    outputModalities: ['image', 'text'],
    pricing: { prompt: '0.0000003', completion: '0.0000025', image_output: '0.00003' },
  };
  expect(await quote(painter)).toMatchObject({ typicalUsd: '0.03898', worstUsd: '0.1918' });
  const large = await quote(painter, { ...plain, imageConfig: { imageSize: '4K' } });
  expect(Number(large?.typicalUsd)).toBeGreaterThan(0.15);
});

test('a price that can only be that of a whole picture is counted once', async () => {
  const painter = { outputModalities: ['image'], pricing: { prompt: '0', completion: '0', image_output: '0.04' } };
  expect(await quote(painter)).toMatchObject({ typicalUsd: '0.04', worstUsd: '0.04' });
});

test('a web search is quoted: by the plugin, or by the price of a model that searches itself', async () => {
  const pricing = { prompt: '0', completion: '0' };
  expect(await quote({ pricing }, plain, ':online')).toMatchObject({ typicalUsd: '0.007', worstUsd: '0.007' });
  const own = { pricing: { ...pricing, web_search: '0.01' } };
  expect(await quote(own, plain, ':online')).toMatchObject({ typicalUsd: '0.01', worstUsd: '0.05' });
  expect(await quote(own)).toMatchObject({ typicalUsd: '0', worstUsd: '0' });
});

test('what a routing suffix may add and nobody knows is said', async () => {
  expect((await quote({}, plain, ':online'))?.basis).toContain('may search more often');
  expect((await quote({}, plain, ':nitro'))?.basis).not.toContain('may search more often');
});

test.each<[string, Partial<KnownModel>, string]>([
  ['a router', { isRouter: true, pricing: { prompt: '-1', completion: '-1' } }, ''],
  ['a preset', {}, '@preset/terse'],
  [
    'a picture whose price stands elsewhere',
    { outputModalities: ['image'], pricing: { prompt: '0', completion: '0' } },
    '',
  ],
])('the cost of %s is not known, and not zero', async (_what, model, suffix) => {
  expect(await quote(model, plain, suffix)).toBeNull();
});

test('a free picture model costs nothing, because it is called free', async () => {
  const free = {
    openrouterId: 'acme/painter:free',
    outputModalities: ['image'],
    pricing: { prompt: '0', completion: '0' },
  };
  expect(await quote(free)).toMatchObject({ typicalUsd: '0', worstUsd: '0' });
});

test('the worst case is the dearest of the models that stand in for each other, the typical one the first', async () => {
  const cheap = await named(knownModel({ openrouterId: 'acme/cheap', pricing: { prompt: '0', completion: '0.001' } }));
  const dear = await named(knownModel({ openrouterId: 'acme/dear', pricing: { prompt: '0', completion: '0.1' } }));
  const unknown = await named(knownModel({ openrouterId: 'acme/x', pricing: { prompt: '-1', completion: '-1' } }));
  expect(quoteCost({ models: [cheap, dear], settings: plain, prompt })).toMatchObject({
    typicalUsd: '0.5',
    worstUsd: '100',
  });
  expect(quoteCost({ models: [cheap, unknown], settings: plain, prompt })).toBeNull();
  expect(quoteCost({ models: [], settings: plain, prompt })).toBeNull();
});

test('at worst everything is thought where thinking is dearer, and the dearest hour is taken', async () => {
  const thinker = {
    supportedParameters: ['reasoning'],
    pricing: { prompt: '0', completion: '0.001', internal_reasoning: '0.01' },
  };
  expect(await quote(thinker)).toMatchObject({ typicalUsd: '0.5', worstUsd: '10' });
  const rush = {
    pricing: { prompt: '0', completion: '0.001', overrides: [{ utc_start: 800, utc_end: 900, completion: '1' }] },
  };
  expect(await quote(rush)).toMatchObject({ typicalUsd: '0.5', worstUsd: '1000' });
});

test('a quote is never below what the same tokens cost, and the worst never below the typical case', async () => {
  const price = fc.integer({ min: 0, max: 1_000_000 }).map((units) => new Big(units).div(1e9).toFixed());
  const pricing = fc.record({ prompt: price, completion: price, request: price });
  const sizes = fc.record({
    typical: fc.integer({ min: 0, max: 1_000 }),
    maxTokens: fc.integer({ min: 1, max: 5_000 }),
  });
  await fc.assert(
    fc.asyncProperty(pricing, sizes, async (prices, { typical, maxTokens }) => {
      const models = [await named(knownModel({ pricing: prices, contextLength: null, maxCompletionTokens: null }))];
      const size = { typicalTokens: typical, worstTokens: typical * 4 };
      const found = quoteCost({ models, settings: { maxTokens }, prompt: size });
      const all = new Big(prices.prompt).times(typical * 4).plus(new Big(prices.completion).times(maxTokens));
      expect(found?.worstUsd).toBe(all.plus(prices.request).toFixed());
      expect(new Big(found?.worstUsd ?? 0).gte(found?.typicalUsd ?? 1)).toBe(true);
    }),
  );
});

test('a prompt is measured by its template and by what the parameters may hold', () => {
  const parameters = [
    parameterSchema.parse({ name: 'topic', maxLength: 200 }),
    parameterSchema.parse({ name: 'tone', type: 'enum', options: ['dry', 'cheerful'], default: 'dry' }),
    parameterSchema.parse({ name: 'count', type: 'integer', example: 3 }),
  ];
  const text = 'x'.repeat(400);
  const compiled = compilePrompt(
    { systemPrompt: `${text}{topic}{/topic}{topic}{/topic}`, userMessage: '{tone}{/tone}{count}{/count}' },
    parameters,
  );
  // Frames: two messages of 4 and 3 for the reply.
  expect(measurePrompt(compiled, parameters, { allowsUserMessage: false })).toEqual({
    typicalTokens: 11 + (400 + 2 * 50) / 4 + 1,
    worstTokens: 11 + 400 + 2 * 4 * 200 + 8 + 100,
  });
  const open = measurePrompt(compiled, parameters, { allowsUserMessage: true });
  expect(open.worstTokens).toBe(11 + 400 + 1_600 + 8 + 100 + 80_000);
  expect(measureMessages([{ content: 'x'.repeat(40) }])).toEqual({ typicalTokens: 17, worstTokens: 47 });
});

test('nothing that a buyer may write has more tokens than the worst case: neither rare characters nor long numbers', () => {
  const parameters = [
    parameterSchema.parse({ name: 'topic', maxLength: 50 }),
    parameterSchema.parse({ name: 'count', type: 'number' }),
  ];
  const texts = { systemPrompt: '𒀀𒀁 {topic}{/topic} {count}{/count}' };
  const compiled = compilePrompt(texts, parameters);
  const input = { topic: '𒀀'.repeat(50), count: `-0.${'1'.repeat(MAX_NUMBER_LENGTH - 3)}` };
  const sent = renderMessages(compiled, input);
  const bytes = sent.reduce((sum, { content }) => sum + Buffer.byteLength(JSON.stringify(content)), 0);
  expect(measurePrompt(compiled, parameters, { allowsUserMessage: false }).worstTokens).toBeGreaterThanOrEqual(bytes);
});

test.each([
  { what: 'once', more: {}, sound: '0.04', pages: '0.04' },
  { what: 'again after each of five searches', more: { webSearch }, sound: '0.275', pages: '0.075' },
  { what: 'and all of that twice for a JSON output', more: { webSearch, outputSchema }, sound: '0.55', pages: '0.15' },
])('a file is read $what, and its pages are scanned once a request', async ({ more, sound, pages }) => {
  const model = knownModel({
    inputModalities: ['text', 'audio'],
    pricing: { prompt: '0', completion: '0', audio: '0.00001' },
  });
  const quoteFile = async (file: object) =>
    quoteCost({
      models: [await named(model)],
      settings: { ...plain, ...more },
      prompt,
      inputs: [parameterSchema.parse({ name: 'it', ...file })],
    })?.worstUsd;
  expect(await quoteFile({ type: 'audio', maxSeconds: 100 })).toBe(sound);
  expect(await quoteFile({ type: 'pdf', maxPages: 20 })).toBe(pages);
});

test('a schema is reckoned as it is sent, its definitions written out', async () => {
  const free = { pricing: { prompt: '1', completion: '0' }, contextLength: 1_000_000 };
  const properties = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`p${i}`, { $ref: '#/$defs/d' }]));
  const $defs = { d: { type: 'string', description: 'x'.repeat(1_000) } };
  const found = await quote(free, { ...plain, outputSchema: { type: 'object', properties, $defs } });
  expect(found?.tokens?.worstInput).toBeGreaterThan(11_000);
});
