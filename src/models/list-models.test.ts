import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import type { z } from 'zod';
import { anonymous } from '#kit/index.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { perform } from '../../tests/support/perform.ts';
import { getModel, listModels, openModels, syncModels, type ModelsDeps } from './index.ts';
import { sorts } from './model-cursor.ts';

const database = useTestDatabase();
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
let deps: ModelsDeps;

const texts = { input_modalities: ['text'], output_modalities: ['text'] };
const special = [
  {
    id: 'acme/percent',
    name: '100% pure',
    description: `It's a back\\slash and under_score`,
    architecture: { input_modalities: ['text', 'image'], output_modalities: ['text'] },
    pricing: { prompt: '0.000001', completion: '0.000005' },
    context_length: 200_000,
    supported_parameters: ['tools', 'web_search_options', 'max_tokens'],
  },
  {
    id: 'acme/painter:free',
    name: 'Painter',
    architecture: { input_modalities: ['text'], output_modalities: ['image', 'text'] },
    pricing: { prompt: '0', completion: '0' },
    context_length: null,
    created: 1_767_225_600,
    supported_parameters: [],
  },
  { id: 'other/router', name: 'ÄUTO Router', architecture: texts, pricing: { prompt: '-1', completion: '-1' } },
];
// Few different values, so that pages break inside runs of equal keys.
const filler = Array.from({ length: 40 }, (_, index) => ({
  id: `filler/f${index}`,
  name: `Same ${index % 3}`,
  architecture: texts,
  pricing: index % 5 === 0 ? { prompt: '-1', completion: '-1' } : { prompt: `0.00${index % 4}`, completion: '0.1' },
  context_length: index % 4 === 0 ? null : (index % 3) * 1000,
  ...(index % 4 === 0 ? {} : { created: 1_700_000_000 + (index % 3) }),
  supported_parameters: ['max_tokens'],
}));

beforeAll(async () => {
  deps = openModels({
    database: database.current,
    fetchCatalogue: async () => [...special, ...filler, { ...special[0], id: 'acme/gone' }],
    clock: { now: () => 0 },
    log: silent,
  });
  await syncModels(deps, { trigger: 'test' });
  deps.fetchCatalogue = async () => [...special, ...filler];
  await syncModels(deps, { trigger: 'test', force: true });
});

function list(query: Record<string, unknown>) {
  return perform(listModels, [{}, anonymous, database.current], query);
}

async function ids(query: Record<string, unknown>): Promise<string[]> {
  return (await list(query)).items.map((model) => model.openrouterId);
}

async function walk(query: Record<string, unknown>): Promise<z.output<typeof listModels.output>['items']> {
  const all = [];
  let cursor: string | null | undefined;
  do {
    const page = await list({ ...query, ...(cursor ? { cursor } : {}) });
    all.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor);
  return all;
}

test('pages of models hold every model exactly once under any sort, order and size', async () => {
  const query = fc.record({
    sort: fc.constantFrom(...sorts),
    order: fc.constantFrom('asc', 'desc', undefined),
    limit: fc.integer({ min: 1, max: 50 }).map(String),
  });
  await fc.assert(
    fc.asyncProperty(query, async (asked) => {
      const found = (await walk(asked)).map((model) => model.openrouterId);
      expect(found).toHaveLength(special.length + filler.length);
      expect(new Set(found).size).toBe(found.length);
    }),
    { numRuns: 25 },
  );
});

test('models are sorted by the right value; unknown values come last in either direction', async () => {
  for (const order of ['asc', 'desc']) {
    const contexts = (await walk({ sort: 'context', order })).map((model) => model.contextLength);
    const known = contexts.filter((length) => length !== null);
    expect(contexts.slice(known.length).every((length) => length === null)).toBe(true);
    expect(known).toEqual(known.toSorted((a, b) => (order === 'asc' ? a - b : b - a)));
    const routers = (await walk({ sort: 'price', order })).map((model) => model.isRouter);
    expect(routers.lastIndexOf(false)).toBeLessThan(routers.indexOf(true));
  }
  expect((await ids({ sort: 'newest', limit: 1 }))[0]).toBe('acme/painter:free');
  expect((await ids({ sort: 'price', limit: 1 }))[0]).toBe('acme/painter:free');
  expect((await ids({ limit: 1 }))[0]).toBe('acme/percent');
});

test.each([
  [{ q: '100%' }, ['acme/percent']],
  [{ q: '%' }, ['acme/percent']],
  [{ q: 'under_score' }, ['acme/percent']],
  [{ q: '_' }, ['acme/percent']],
  [{ q: 'back\\slash' }, ['acme/percent']],
  [{ q: `it's` }, ['acme/percent']],
  [{ q: `' OR 1=1 --` }, []],
  [{ q: `"); DROP TABLE ai_models; --` }, []],
  [{ q: '  PURE   acme ' }, ['acme/percent']],
  [{ q: 'pure painter' }, []],
  [{ q: 'painter:free' }, ['acme/painter:free']],
  [{ q: '\u{1F600}' }, []],
  [{ provider: 'acme' }, ['acme/percent', 'acme/painter:free']],
  [{ provider: 'acme,other', vision: 'false' }, ['acme/painter:free', 'other/router']],
  [{ input: 'image' }, ['acme/percent']],
  [{ input: 'text,image' }, ['acme/percent']],
  [{ output: 'image' }, ['acme/painter:free']],
  [{ output: 'video' }, []],
  [{ minContext: '200000' }, ['acme/percent']],
  [{ maxPromptPrice: '1', provider: 'acme' }, ['acme/percent', 'acme/painter:free']],
  [{ maxPromptPrice: '0.999999', provider: 'acme,other' }, ['acme/painter:free']],
  [{ maxCompletionPrice: '5' }, ['acme/percent', 'acme/painter:free']],
  [{ parameters: 'tools, max_tokens' }, ['acme/percent']],
  [{ parameters: 'tools,seed' }, []],
  [{ tools: 'true' }, ['acme/percent']],
  [{ vision: true }, ['acme/percent']],
  [{ webSearch: 'true' }, ['acme/percent']],
  [{ free: 'true' }, ['acme/painter:free']],
  [{ active: 'false' }, ['acme/gone']],
])('the model query %j finds %j', async (query, expected) => {
  expect(await ids(query)).toEqual(expected);
});

test.each([
  { q: 'a\0b' },
  { q: 'x'.repeat(201) },
  { minContext: '-1' },
  { minContext: '1e99' },
  { maxPromptPrice: '1e9' },
  { maxPromptPrice: '-1' },
  { maxPromptPrice: `1; SELECT 1` },
  { sort: 'id; DROP TABLE ai_models' },
  { order: 'up' },
  { limit: '0' },
  { limit: '101' },
  { tools: 'yes' },
])('the model query %j is not valid input', (query) => {
  expect(listModels.input.safeParse(query).success).toBe(false);
});

test('a cursor that was not made for this list is a clear refusal, whatever it holds', async () => {
  const { nextCursor } = await list({ limit: 1, sort: 'newest' });
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const id = '0190a0b0-0000-7000-8000-000000000000';
  const refused = [
    { cursor: '' },
    { cursor: 'nonsense' },
    { cursor: nextCursor },
    { cursor: nextCursor, sort: 'newest', order: 'asc' },
    { cursor: encode(['name', 'asc', 'a\0b', id]) },
    { cursor: encode(['name', 'asc', 5, id]) },
    { cursor: encode(['name', 'asc', 'a', 'not-a-uuid']) },
    { cursor: encode(['price', 'asc', '1e9', id]), sort: 'price' },
    { cursor: encode(['price', 'asc', 'NaN', id]), sort: 'price' },
    { cursor: encode(['context', 'desc', '99999999999999999999', id]), sort: 'context' },
    { cursor: encode({ length: 4 }) },
  ];
  for (const query of refused) {
    await expect(list(query)).rejects.toMatchObject({ code: 'invalid_input', fields: [{ path: '/cursor' }] });
  }
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.string(),
        fc.json().map((text) => encode(JSON.parse(text))),
      ),
      async (cursor) => {
        await expect(list({ cursor })).rejects.toMatchObject({ code: 'invalid_input' });
      },
    ),
    { numRuns: 50 },
  );
});

test('getModel finds one model by its id, also one that is gone; its view holds nothing that is not declared', async () => {
  const read = (author: string, slug: string) =>
    perform(getModel, [deps, anonymous, database.current], { author, slug });
  expect(await read('acme', 'painter:free')).toMatchObject({ isFree: true, isActive: true, tools: false });
  expect(await read('acme', 'percent')).toMatchObject({ tools: true, vision: true, webSearch: true });
  expect(await read('acme', 'gone')).toMatchObject({ isActive: false });
  expect(await read('acme', 'gone')).not.toHaveProperty('extra');
  await expect(read('acme', 'nothing')).rejects.toMatchObject({ code: 'not_found' });
  await expect(read('acme', '\0')).rejects.toMatchObject({ code: 'not_found' });
});

test('a model is read by any name that OpenRouter or its users give it', async () => {
  const read = async (author: string, slug: string) =>
    (await perform(getModel, [deps, anonymous, database.current], { author, slug })).openrouterId;
  expect(await read('acme', 'percent:nitro')).toBe('acme/percent');
  expect(await read('ACME', 'Percent')).toBe('acme/percent');
  expect(await read('acme', 'painter:free:online')).toBe('acme/painter:free');
});

test('a model that is not there is answered with the nearest ids', async () => {
  const read = (author: string, slug: string) =>
    perform(getModel, [deps, anonymous, database.current], { author, slug });
  await expect(read('acme', 'precent')).rejects.toMatchObject({
    code: 'not_found',
    next: 'Did you mean acme/percent? Or search with GET /api/models?q=….',
  });
  await expect(read('acme', 'painter')).rejects.toMatchObject({ next: expect.stringContaining('acme/painter:free') });
  await expect(read('acme/percent', 'substitutes')).rejects.toMatchObject({
    message: 'No model "acme/percent/substitutes" is in the catalogue.',
    next: expect.stringContaining('not as %2F'),
  });
  await expect(read('zzz', 'qqqqqqqqqqqqqqqqqqqqqqqqq')).rejects.toMatchObject({
    next: 'Search for it with GET /api/models?q=….',
  });
});
