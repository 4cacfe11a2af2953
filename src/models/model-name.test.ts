import { beforeAll, expect, test } from 'vitest';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import {
  findNearestModels,
  openModels,
  readModelName,
  readSnapshot,
  syncModels,
  toWireName,
  type ModelsDeps,
} from './index.ts';

const database = useTestDatabase();
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
let deps: ModelsDeps;
beforeAll(async () => {
  const { models } = await readSnapshot();
  deps = openModels({
    database: database.current,
    fetchCatalogue: async () => models,
    clock: { now: () => 0 },
    log: silent,
  });
  await syncModels(deps, { trigger: 'test' });
});

test.each([
  ['openai/gpt-4o', ['openai/gpt-4o']],
  ['openai/gpt-4o:nitro', ['openai/gpt-4o:nitro', 'openai/gpt-4o']],
  ['openai/gpt-4o:free', ['openai/gpt-4o:free']],
  ['a/b:free:online', ['a/b:free:online', 'a/b:free']],
  ['a/b:ONLINE:floor', ['a/b:ONLINE:floor', 'a/b', 'a/b:online:floor']],
  ['OpenAI/GPT-4o', ['OpenAI/GPT-4o', 'openai/gpt-4o']],
  ['openrouter/openai/gpt-4o', ['openai/gpt-4o']],
  ['https://openrouter.ai/openai/gpt-4o', ['openai/gpt-4o']],
  ['https://www.openrouter.ai/models/openai/gpt-4o/?tab=api#top', ['openai/gpt-4o']],
  ['openrouter.ai/openai/gpt-4o:floor ', ['openai/gpt-4o:floor', 'openai/gpt-4o']],
  ['openrouter/auto', ['openrouter/auto']],
  ['openrouter/openrouter/auto', ['openrouter/auto']],
  ['@preset/house-style', ['']],
  ['openai/gpt-4o@preset/house-style', ['openai/gpt-4o']],
  ['', ['']],
])('the name %j can mean %j', (name, ids) => {
  expect(readModelName(name).map(({ id }) => id)).toEqual(ids);
});

test.each([
  ['openai/gpt-4o:nitro', 'openai/gpt-4o:nitro'],
  ['OpenAI/GPT-4o:Online', 'openai/gpt-4o:online'],
  ['openai/gpt-4o:online@preset/House', 'openai/gpt-4o:online@preset/House'],
  ['@preset/house-style', '@preset/house-style'],
])('%j is asked for as %j', (name, wire) => {
  expect(toWireName(readModelName(name).at(-1) ?? { id: '', routing: [], preset: null })).toBe(wire);
});

test.each([
  ['openai/gpt-4o-mni', 'openai/gpt-4o-mini'],
  ['gpt-4o-mini', 'openai/gpt-4o-mini'],
  ['claude-haiku-4-5', 'anthropic/claude-haiku-4.5'],
  ['openai/claude-haiku-4.5', 'anthropic/claude-haiku-4.5'],
  ['Open-AI/GPT-4o-mini:nitro', 'openai/gpt-4o-mini'],
  ['https://openrouter.ai/google/gemini-2.5-flash-imagee', 'google/gemini-2.5-flash-image'],
])('whoever wrote %j is told of %s first', async (name, nearest) => {
  expect((await findNearestModels(deps, name))[0]).toBe(nearest);
});

test.each(['', ':', '@preset/house', 'a completely different thing', 'x'.repeat(5_000)])(
  'nothing is near to %j',
  async (name) => {
    expect(await findNearestModels(deps, name)).toEqual([]);
  },
);
