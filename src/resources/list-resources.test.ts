import { beforeAll, beforeEach, expect, test } from 'vitest';
import { anonymous, type User } from '#kit/index.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { openToyResources, perform, publishToy, toyDraft } from '../../tests/support/toy-resources.ts';
import {
  createResource,
  getResource,
  listResources,
  listResourceVersions,
  pauseResource,
  publishResource,
} from './index.ts';
import { updateResource, type ResourcesDeps, type ResourceStats } from './index.ts';

const database = useTestDatabase();
let deps: ResourcesDeps;
let ada: User;

beforeAll(async () => {
  const toy = openToyResources(database.current);
  ada = await toy.addUser('ada');
  const eve = await toy.addUser('eve');
  await publishToy(toy.deps, ada, { slug: 'haiku', name: 'Haiku maker', tags: ['poem'] });
  await publishToy(toy.deps, ada, {
    slug: 'rates',
    name: 'Exchange rates',
    description: 'EUR/USD',
    category: 'data',
    tags: [],
  });
  await publishToy(toy.deps, eve, { slug: 'ubersetzer', name: 'Übersetzer', description: 'Deutsch, 日本語', tags: [] });
  const { id } = await publishToy(toy.deps, eve, { slug: 'resting', name: 'Haiku at rest' });
  await perform(pauseResource, [toy.deps, eve], { id });
  await perform(createResource, [toy.deps, ada], toyDraft({ slug: 'sketch', name: 'Haiku sketch' }));
});

beforeEach(() => {
  deps = openToyResources(database.current).deps;
});

async function slugs(input: Record<string, unknown>, caller: User | typeof anonymous = anonymous) {
  const { items } = await perform(listResources, [deps, caller], input);
  return items.map(({ slug }) => slug);
}

test.each([
  [{}, ['ubersetzer', 'rates', 'haiku']],
  [{ q: 'haiku' }, ['haiku']],
  [{ q: 'HAI mak' }, ['haiku']],
  [{ q: 'poem' }, ['haiku']],
  [{ q: 'eur usd' }, ['rates']],
  [{ q: 'über' }, ['ubersetzer']],
  [{ q: '日本' }, ['ubersetzer']],
  [{ q: 'haiku rates' }, []],
  [{ q: '!!!' }, []],
  [{ q: "x' | y:* & !(\\" }, []],
  [{ q: ' ' }, ['ubersetzer', 'rates', 'haiku']],
  [{ category: 'data' }, ['rates']],
  [{ creator: 'eve' }, ['ubersetzer']],
  [{ kind: 'toy', creator: 'ada' }, ['rates', 'haiku']],
  [{ kind: 'other' }, []],
  [{ mine: 'false' }, ['ubersetzer', 'rates', 'haiku']],
])('anybody asking for %j finds %j', async (input, expected) => expect(await slugs(input)).toEqual(expected));

test.each([
  [{}, ['sketch', 'rates', 'haiku']],
  [{ state: 'draft' }, ['sketch']],
  [{ q: 'haiku' }, ['sketch', 'haiku']],
  [{ category: 'data' }, ['rates']],
])('the creator asking for %j of their own finds %j', async (input, expected) =>
  expect(await slugs({ mine: 'true', ...input }, ada)).toEqual(expected),
);

test.each([{ limit: 0 }, { limit: 101 }, { cursor: 'x' }, { category: 'cats' }, { q: 'x'.repeat(201) }, { colour: 1 }])(
  'refuses %j',
  async (input) => expect(listResources.input.safeParse(input).success).toBe(false),
);

test.each([{ mine: 'true' }, {}])('pages of %j join without gap or repetition', async (input) => {
  const all = await slugs(input, ada);
  const paged: string[] = [];
  let cursor: string | null = null;
  do {
    const page: { items: { slug: string }[]; nextCursor: string | null } = await perform(listResources, [deps, ada], {
      ...input,
      limit: '1',
      ...(cursor === null ? {} : { cursor }),
    });
    paged.push(...page.items.map(({ slug }) => slug));
    cursor = page.nextCursor;
  } while (cursor !== null);
  expect(paged).toEqual(all);
});

test('stats come from whoever counts calls; what was earned is for the creator', async () => {
  const stats: ResourceStats = {
    call_count: 3,
    success_count_30d: 2,
    failure_count_30d: 1,
    total_earned_usdc: '0.02',
    last_called_at: '2026-01-01T00:00:00.000Z',
  };
  deps = { ...deps, findStats: async (_tx, ids) => new Map(ids.map((id) => [id, stats])) };
  const { items } = await perform(listResources, [deps, anonymous], { q: 'maker' });
  const { total_earned_usdc: _, ...shown } = stats;
  expect(items[0]?.stats).toEqual(shown);
  expect(await perform(getResource, [deps, ada], { id: items[0]?.id ?? '' })).toMatchObject({ stats });
});

test('versions are listed newest first, by pages', async () => {
  const zoe = await openToyResources(database.current).addUser('zoe');
  const { id } = await publishToy(deps, zoe, { slug: 'many' });
  // Out of the lists that the other tests read.
  await perform(pauseResource, [deps, zoe], { id });
  for (const name of ['Two', 'Three']) {
    await perform(updateResource, [deps, zoe], { id, name });
    await perform(publishResource, [deps, zoe], { id });
  }
  const first = await perform(listResourceVersions, [deps, anonymous], { id, limit: '2' });
  expect(first.items.map(({ version, name }) => [version, name])).toEqual([
    [3, 'Three'],
    [2, 'Two'],
  ]);
  const rest = await perform(listResourceVersions, [deps, anonymous], { id, cursor: first.nextCursor });
  expect(rest).toMatchObject({ items: [{ version: 1, supersededAt: expect.any(String) }], nextCursor: null });
});
