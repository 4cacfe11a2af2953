import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { newId, type User } from '#kit/index.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import {
  OTHER_NETWORK,
  openToyResources,
  perform,
  publishToy,
  storeDraft,
  toyDraft,
} from '../../tests/support/toy-resources.ts';
import {
  createResource,
  getResource,
  listResources,
  publishResource,
  updateResource,
  validateResource,
  type ResourcesDeps,
} from './index.ts';

const database = useTestDatabase();
let toy: ReturnType<typeof openToyResources>;
let deps: ResourcesDeps;
let ada: User;

beforeAll(async () => {
  ada = await openToyResources(database.current).addUser('ada');
});

beforeEach(() => {
  toy = openToyResources(database.current);
  deps = toy.deps;
});

const anySlug = () => `s-${newId()}`;
const create = (fields: Record<string, unknown> = {}) =>
  perform(createResource, [deps, ada], { kind: 'toy', slug: anySlug(), ...fields });
const patch = (id: string, fields: Record<string, unknown>) => perform(updateResource, [deps, ada], { id, ...fields });
const paths = (found: readonly { path: string }[]) => found.map(({ path }) => path);

async function refusal(work: Promise<unknown>) {
  const error = (await work.catch((problem: unknown) => problem)) as { code: string; fields: { path: string }[] };
  return { code: error.code, paths: paths(error.fields ?? []) };
}

describe('a save is refused at once for', () => {
  test.each([
    ['a price with a currency sign', { priceUsdc: '$0.02' }, '/priceUsdc'],
    ['a price with a comma', { priceUsdc: '0,02' }, '/priceUsdc'],
    ['a price above the limit', { priceUsdc: '99999999999' }, '/priceUsdc'],
    ['an ENS name as payee', { payTo: 'ada.eth' }, '/payTo'],
    ['a payee without its checksum', { payTo: '0x71C7656EC7ab88b098defB751B7401B5f6d8976f' }, '/payTo'],
    ['a network that is not offered here', { network: 'eip155:1' }, '/network'],
    ['a scheme that is not offered here', { scheme: 'cash' }, '/scheme'],
    [
      'a further price',
      { furtherOffers: [{ network: OTHER_NETWORK, priceUsdc: '1e3' }] },
      '/furtherOffers/0/priceUsdc',
    ],
    ['a further payee', { furtherOffers: [{ network: OTHER_NETWORK, payTo: 'x' }] }, '/furtherOffers/0/payTo'],
    ['a setting of the wrong type', { config: { template: 7 } }, '/config/template'],
    ['a setting that is misspelt', { config: { templat: 'x' } }, '/config/templat'],
    ['a tag that is closed by another', { config: { template: '{topic}{/topci}' } }, '/config/template'],
    [
      'a tag of a parameter that is not closed',
      { parameters: [{ name: 'topic' }], config: { template: 'On {topic}.' } },
      '/config/template',
    ],
    ['the name of a parameter', { parameters: [{ name: '9lives' }] }, '/parameters/0/name'],
    ['a pattern that cannot be read', { parameters: [{ name: 'a', pattern: '(' }] }, '/parameters/0/pattern'],
  ])('%s', async (_, fields, path) => {
    expect(await refusal(create(fields))).toEqual({ code: 'invalid_input', paths: [path] });
    const { id } = await create();
    expect(await refusal(patch(id, fields))).toEqual({ code: 'invalid_input', paths: [path] });
    expect(await perform(getResource, [deps, ada], { id })).toMatchObject({ revision: 1 });
  });

  test('everything at once, each at its place', async () => {
    const fields = { priceUsdc: '$1', payTo: 'ada.eth', config: { template: '{a}{/b}', colour: 'red' } };
    expect(await refusal(create(fields))).toEqual({
      code: 'invalid_input',
      paths: ['/priceUsdc', '/payTo', '/config/colour', '/config/template'],
    });
  });

  test('everything at once, whether the form of a field or what it holds is wrong', async () => {
    const fields = {
      tags: ['poem', 'My Tag'],
      timeoutSeconds: 1,
      shade: 'red',
      priceUsdc: '1e3',
      parameters: [{ name: '9lives', type: 'picture' }, { name: 'a', patern: 'x' }, { name: 'constructor' }],
      furtherOffers: [{ network: OTHER_NETWORK, priceUsdc: '$1', scheme: 7 }],
      config: { template: '{a}{/b}', colour: 'red' },
    };
    const wrong = [
      '/config/colour',
      '/config/template',
      '/furtherOffers/0/priceUsdc',
      '/furtherOffers/0/scheme',
      '/parameters/0/name',
      '/parameters/0/type',
      '/parameters/1/patern',
      '/parameters/2/name',
      '/priceUsdc',
      '/shade',
      '/tags/1',
      '/timeoutSeconds',
    ];
    const made = await refusal(create(fields));
    expect([made.code, made.paths.toSorted()]).toEqual(['invalid_input', wrong]);
    const { id } = await create();
    const edited = await refusal(patch(id, fields));
    expect([edited.code, edited.paths.toSorted()]).toEqual(['invalid_input', wrong]);
  });

  test('a kind that does not exist, beside what is wrong with the rest', async () => {
    const { paths: told } = await refusal(create({ kind: 'banana', slug: 'No Slug', priceUsdc: '1e3' }));
    expect(told.toSorted()).toEqual(['/kind', '/priceUsdc', '/slug']);
  });

  test('a field of the wrong form, judged with the rest of the draft as it was', async () => {
    const { id } = await create({ parameters: [{ name: 'topic' }] });
    const told = await refusal(patch(id, { tags: ['My Tag'], config: { template: 'On {topic}.' } }));
    expect(told.paths).toEqual(['/tags/0', '/config/template']);
    const instead = { parameters: 'none', config: { template: 'On {topic}.' } };
    expect((await refusal(patch(id, instead))).paths).toEqual(['/parameters']);
    expect((await refusal(patch(newId(), { tags: ['My Tag'], priceUsdc: '1e3' }))).paths).toEqual(['/tags/0']);
  });

  test.each([
    [{ template: 7 }, '/config/template: must be text.'],
    [{ template: '{a}{/b}' }, /^\/config\/template: Line 1, column 1/],
    // The name of an unknown setting may be a piece of the prompt.
    [{ 'Be kind': 1 }, '/config: holds a setting that is not known here.'],
  ])('%j, and the sentence names the place as the list does', async (config, detail) => {
    await expect(create({ config })).rejects.toThrow(detail);
  });

  test('a type of parameter that there is not, and the message names those that there are', async () => {
    const refused = (await create({ parameters: [{ name: 'a', type: 'picture' }] }).catch(
      (error: unknown) => error,
    )) as {
      fields: unknown;
    };
    expect(refused.fields).toEqual([
      { path: '/parameters/0/type', message: expect.stringMatching(/^must be one of "string", .* "pdf", "file"$/) },
    ]);
  });

  test('what is saved now, and not for an older fault elsewhere in the draft', async () => {
    const { id } = await storeDraft(deps, ada, { slug: anySlug(), priceUsdc: '$0.02', config: { templat: 'x' } });
    const saved = await patch(id, { name: 'Ode' });
    expect(paths(saved.problems)).toEqual(expect.arrayContaining(['/priceUsdc', '/config/templat']));
  });
});

test('what is missing is no reason to refuse a save, and stands in its problems', async () => {
  const created = await create();
  const missing = ['/name', '/config/template', '/priceUsdc', '/network', '/payTo', '/category'];
  expect(paths(created.problems)).toEqual(missing);
  const named = await patch(created.id, { name: 'Ode', category: 'ai' });
  expect(paths(named.problems)).toEqual(missing.filter((path) => path !== '/name' && path !== '/category'));
  const read = await perform(getResource, [deps, ada], { id: created.id });
  expect(read).toMatchObject({ view: 'owner', problems: named.problems, warnings: [] });
});

test('a draft that lacks nothing has no problems, before and after it is published', async () => {
  const { id, problems } = await create(toyDraft({ slug: anySlug() }));
  expect(problems).toEqual([]);
  expect(await perform(publishResource, [deps, ada], { id })).toMatchObject({ problems: [], warnings: [] });
});

test('validating tells everything that stands against publishing, and changes nothing', async () => {
  const { id } = await create({ category: 'ai', config: { template: 'On {topic}{/topic}.' } });
  const told = await perform(validateResource, [deps, ada], { id });
  expect(told).toMatchObject({ revision: 1, isPublishable: false });
  expect(paths(told.problems)).toEqual(['/name', '/config/template', '/priceUsdc', '/network', '/payTo']);
  expect(await refusal(perform(publishResource, [deps, ada], { id }))).toEqual({
    code: 'unprocessable',
    paths: paths(told.problems),
  });
  await patch(id, toyDraftFields());
  expect(await perform(validateResource, [deps, ada], { id })).toEqual({
    revision: 2,
    isPublishable: true,
    problems: [],
    warnings: [],
  });
});

const toyDraftFields = () => {
  const { kind: _kind, slug: _slug, ...fields } = toyDraft();
  return fields;
};

test('what a kind warns of is told with every save and every check, and does not keep a draft from being published', async () => {
  const warning = { path: '/priceUsdc', message: 'A call costs more than this.' };
  toy.kind.listWarnings = async (_config, { offers }) => (offers[0]?.amountAtomic === 10_000n ? [warning] : []);
  const { id, warnings } = await create(toyDraft({ slug: anySlug(), category: null }));
  expect(warnings).toEqual([warning]);
  expect((await patch(id, { category: 'ai' })).warnings).toEqual([warning]);
  expect((await perform(validateResource, [deps, ada], { id })).warnings).toEqual([warning]);
  expect(await perform(publishResource, [deps, ada], { id })).toMatchObject({
    state: 'published',
    warnings: [warning],
  });
  expect((await patch(id, { priceUsdc: '1' })).warnings).toEqual([]);
});

describe('publishing tells all faults of a draft at once:', () => {
  const old = async (fields: Record<string, unknown>) => {
    const { id } = await storeDraft(deps, ada, { slug: anySlug(), ...fields });
    return (await refusal(perform(publishResource, [deps, ada], { id }))).paths;
  };

  test('the config’s form, what its kind says, offers, parameters, settlement point and category', async () => {
    const found = await old({
      category: null,
      priceUsdc: '$1',
      settlementPoint: 'upfront',
      parameters: [{ name: 'topic' }, { name: '9' }],
      config: { template: 'On {word}{/word}', colour: 'red' },
    });
    expect([...new Set(found)].sort()).toEqual([
      '/category',
      '/config/colour',
      '/config/template',
      '/parameters/1/name',
      '/priceUsdc',
      '/settlementPoint',
    ]);
  });

  test('a kind is not heard about what was only filled in for it', async () => {
    toy.kind.checkPublishable = async (config, parameters) => [
      { path: '/config/model', message: `No ${config.model}` },
      { path: '/config', message: 'Store a key first.' },
      ...parameters.map((_, index) => ({ path: `/parameters/${index}`, message: 'Unused.' })),
    ];
    expect(await old({ config: { needsKey: 1 } })).toEqual(['/config/template', '/config/needsKey', '/config']);
    expect(await old({ config: { template: 'x', needsKey: 1 } })).toEqual([
      '/config/needsKey',
      '/config/model',
      '/config',
      '/parameters/0',
    ]);
  });

  test('every rule of a parameter, beside its name and beside rules that do not apply', async () => {
    const parameter = { name: '9', type: 'integer', minimum: 3, maximum: 1, maxLength: 7 };
    expect(await old({ config: { template: 'x' }, parameters: [parameter] })).toEqual(
      expect.arrayContaining(['/parameters/0/name', '/parameters/0/minimum', '/parameters/0/maxLength']),
    );
  });
});

test('an edit that changes nothing makes no revision', async () => {
  const { id, published } = await publishToy(deps, ada, { slug: anySlug() });
  toy.clock.nowMs += 60_000;
  for (const fields of [{}, { name: 'Haiku' }, { config: { template: 'A haiku about {topic}{/topic}.' } }]) {
    expect(await patch(id, fields)).toMatchObject({
      revision: 1,
      hasUnpublishedChanges: false,
      updatedAt: '2026-01-02T03:04:05.000Z',
      published: { version: published?.version },
    });
  }
  expect(await patch(id, { name: 'Ode' })).toMatchObject({ revision: 2, hasUnpublishedChanges: true });
});

test('a price that is written otherwise is the same price: no revision, and shown in one form', async () => {
  const furtherOffers = [{ network: OTHER_NETWORK, priceUsdc: '0.500' }];
  const { id, draft } = await create(toyDraft({ slug: anySlug(), priceUsdc: '0.020', furtherOffers }));
  expect([draft.priceUsdc, draft.furtherOffers[0]?.priceUsdc]).toEqual(['0.02', '0.5']);
  for (const fields of [{ priceUsdc: '0.02' }, { priceUsdc: '0.020000' }, { furtherOffers }]) {
    expect(await patch(id, fields)).toMatchObject({ revision: 1, draft: { priceUsdc: '0.02' } });
  }
});

test('the owner reads a draft’s price in the draft alone; what buyers pay stands under `published`', async () => {
  const { id } = await publishToy(deps, ada, { slug: anySlug() });
  const edited = await patch(id, { priceUsdc: '9.99', name: 'Dear ode' });
  const { draft, published, ...rest } = edited;
  expect([draft.priceUsdc, published?.priceUsdc]).toEqual(['9.99', '0.01']);
  expect(JSON.stringify(rest)).not.toMatch(/9\.99|Dear ode|priceUsdc/);
  const { items } = await perform(listResources, [deps, ada], { mine: true });
  expect(items.find((item) => item.id === id)).toMatchObject({
    draft: { name: 'Dear ode', priceUsdc: '9.99' },
    published: { version: 1, name: 'Haiku', priceUsdc: '0.01' },
  });
  const unpublished = await create({ priceUsdc: '3' });
  const listed = (await perform(listResources, [deps, ada], { mine: true })).items;
  expect(listed.find((item) => item.id === unpublished.id)).toMatchObject({ published: null });
});
