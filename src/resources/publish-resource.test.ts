import { beforeAll, beforeEach, expect, test } from 'vitest';
import { newId, type User } from '#kit/index.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import {
  NETWORK,
  openToyResources,
  PAY_TO,
  perform,
  publishToy,
  storeDraft,
  toyDraft,
} from '../../tests/support/toy-resources.ts';
import { archiveResource, createResource, getResource, listResourceVersions } from './index.ts';
import { publishResource, updateResource, type ResourcesDeps } from './index.ts';

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
const draftWith = (fields: Record<string, unknown>) =>
  perform(createResource, [deps, ada], toyDraft({ slug: anySlug(), ...fields }));
const patch = (id: string, fields: Record<string, unknown>) => perform(updateResource, [deps, ada], { id, ...fields });
const publish = (id: string, revision?: number) =>
  perform(publishResource, [deps, ada], { id, ...(revision === undefined ? {} : { revision }) });
const versions = async (id: string) =>
  (await perform(listResourceVersions, [deps, ada], { id })).items.map(({ version, priceUsdc }) => [
    version,
    priceUsdc,
  ]);

test('the first publication is version 1, and holds everything that buyers need', async () => {
  const created = await draftWith({ slug: 'first', payTo: PAY_TO.toLowerCase() });
  expect(created).toMatchObject({ state: 'draft', revision: 1, published: null, hasUnpublishedChanges: true });
  const published = await publish(created.id);
  expect(published).toMatchObject({
    state: 'published',
    url: 'https://farebox.test/@ada/first',
    hasUnpublishedChanges: false,
    published: {
      version: 1,
      priceUsdc: '0.01',
      offers: [{ scheme: 'exact', network: NETWORK, priceUsdc: '0.01', payTo: PAY_TO }],
      settlementPoint: 'on_success',
      details: { model: 'toy/echo' },
    },
  });
  expect(published.published?.inputSchema).toEqual({
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    properties: {
      topic: { type: 'string', description: 'What it is about.', examples: ['frogs'], maxLength: 10_000 },
    },
    required: ['topic'],
    additionalProperties: false,
  });
});

test('an edit shows to buyers only when it is published', async () => {
  const { id } = await publishToy(deps, ada, { slug: anySlug() });
  const edited = await patch(id, { priceUsdc: '2', name: 'Ode' });
  expect(edited).toMatchObject({ hasUnpublishedChanges: true, draft: { name: 'Ode' }, published: { name: 'Haiku' } });
  expect(await publish(id)).toMatchObject({ published: { version: 2, name: 'Ode', priceUsdc: '2' } });
  expect(await versions(id)).toEqual([
    [2, '2'],
    [1, '0.01'],
  ]);
});

test('publishing what already stands is a conflict, also after an edit and its undoing', async () => {
  const { id } = await publishToy(deps, ada, { slug: anySlug() });
  await expect(publish(id)).rejects.toMatchObject({ code: 'conflict' });
  await patch(id, { name: 'Other' });
  await patch(id, { name: 'Haiku' });
  await expect(publish(id)).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('version 1') });
});

test('two publications of one draft at once make one version', async () => {
  const { id } = await draftWith({});
  const results = await Promise.allSettled([publish(id), publish(id), publish(id)]);
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(await versions(id)).toEqual([[1, '0.01']]);
});

/** Holds the next publication between reading its draft and storing it. */
function holdPublication(id: string) {
  const asked = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  toy.kind.beforeCheck = async () => {
    toy.kind.beforeCheck = async () => {};
    asked.resolve();
    await released.promise;
  };
  const publication = publish(id);
  return { publication, asked: asked.promise, release: released.resolve };
}

test('two publications of different drafts at once never share a number, and the newer draft stands', async () => {
  const { id } = await draftWith({ priceUsdc: '1' });
  const older = holdPublication(id);
  await older.asked;
  await patch(id, { priceUsdc: '2' });
  const newer = holdPublication(id);
  await newer.asked;
  older.release();
  newer.release();
  const [first] = await Promise.allSettled([older.publication, newer.publication]);
  const stored = await versions(id);
  expect(stored[0]?.[1]).toBe('2');
  expect(stored.map(([version]) => version)).toEqual(first.status === 'fulfilled' ? [2, 1] : [1]);
});

test('the older of two drafts in publication becomes n, the newer n + 1', async () => {
  const { id } = await draftWith({ priceUsdc: '1' });
  const older = holdPublication(id);
  await older.asked;
  await patch(id, { priceUsdc: '2' });
  const newer = holdPublication(id);
  await newer.asked;
  older.release();
  await older.publication;
  newer.release();
  await newer.publication;
  expect(await versions(id)).toEqual([
    [2, '2'],
    [1, '1'],
  ]);
});

test('an older draft never replaces a newer one', async () => {
  const { id } = await draftWith({ priceUsdc: '1' });
  const older = holdPublication(id);
  await older.asked;
  await patch(id, { priceUsdc: '2' });
  await publish(id);
  older.release();
  await expect(older.publication).rejects.toMatchObject({ code: 'precondition_failed' });
  expect(await versions(id)).toEqual([[1, '2']]);
});

test('twenty edits and publications at once number their versions without gap or repetition', async () => {
  const { id } = await draftWith({});
  const edit = async (price: number) => {
    await patch(id, { priceUsdc: `${price}` });
    return publish(id);
  };
  await Promise.allSettled(Array.from({ length: 20 }, (_, index) => edit(index + 1)));
  const numbers = (await versions(id)).map(([version]) => version);
  expect(numbers).toEqual(numbers.map((_, index) => numbers.length - index));
});

test('an edit or publication made on another revision is refused', async () => {
  const { id } = await draftWith({});
  await patch(id, { revision: 1, name: 'Two' });
  await expect(patch(id, { revision: 1, name: 'Lost' })).rejects.toMatchObject({ code: 'precondition_failed' });
  await expect(publish(id, 1)).rejects.toMatchObject({ code: 'precondition_failed' });
  expect(await publish(id, 2)).toMatchObject({ draft: { name: 'Two' } });
});

test.each([
  [{ name: '  ' }, '/name'],
  [{ category: null }, '/category'],
  [{ priceUsdc: null }, '/priceUsdc'],
  [{ priceUsdc: '1e3' }, '/priceUsdc'],
  [{ priceUsdc: '-1' }, '/priceUsdc'],
  [{ priceUsdc: '0.0000001' }, '/priceUsdc'],
  [{ priceUsdc: '1000.000001' }, '/priceUsdc'],
  [{ network: null }, '/network'],
  [{ network: 'eip155:1' }, '/network'],
  [{ payTo: null }, '/payTo'],
  [{ payTo: '0x71C7656EC7ab88b098defB751B7401B5f6d8976f' }, '/payTo'],
  [{ payTo: '0x0000000000000000000000000000000000000000' }, '/payTo'],
  [{ payTo: 'ada.eth' }, '/payTo'],
  [{ config: {} }, '/config/template'],
  [{ config: { template: 'x {topic}{/topic}', colour: 'red' } }, '/config/colour'],
  [{ config: { template: 'no tag' } }, '/config/template'],
  [{ parameters: [] }, '/config/template'],
  [{ parameters: [{ name: 'topic' }, { name: 'topic' }] }, '/parameters/1/name'],
  [{ parameters: [{ name: 'topic', type: 'image' }] }, '/parameters/0/type'],
])('publishing %j is refused at %s', async (fields, path) => {
  const { id } = await storeDraft(deps, ada, { slug: anySlug(), ...fields });
  await expect(publish(id)).rejects.toMatchObject({
    code: 'unprocessable',
    fields: [{ path, message: expect.any(String) }],
  });
  expect(await versions(id)).toEqual([]);
});

test('what buyers are told stays within bounds', async () => {
  const options = Array.from({ length: 100 }, (_, index) => `${index}`.padEnd(200, 'ö'));
  const parameters = ['a', 'b'].map((name) => ({ name, type: 'enum', options }));
  const { id } = await draftWith({ parameters, config: { template: '{a}{/a}{b}{/b}' } });
  await expect(publish(id)).rejects.toMatchObject({ code: 'unprocessable', fields: [{ path: '/parameters' }] });
});

test('a draft tells everything that is wrong with it at once', async () => {
  const created = await perform(createResource, [deps, ada], { kind: 'toy', slug: anySlug() });
  const error = await publish(created.id).catch((problem: unknown) => problem);
  expect((error as { fields: { path: string }[] }).fields.map(({ path }) => path)).toEqual([
    '/name',
    '/config/template',
    '/priceUsdc',
    '/network',
    '/payTo',
    '/category',
  ]);
});

test.each(['0', '0.000001', '1000'])('a price of %s is fine', async (priceUsdc) => {
  await expect(publishToy(deps, ada, { slug: anySlug(), priceUsdc })).resolves.toMatchObject({
    published: { priceUsdc },
  });
});

test('an operator may set another ceiling', async () => {
  deps = { ...deps, maxPriceAtomic: 5n };
  const { id } = await storeDraft(deps, ada, { slug: anySlug(), priceUsdc: '0.000006' });
  await expect(publish(id)).rejects.toMatchObject({ fields: [{ path: '/priceUsdc' }] });
});

test('a kind may allow a user message', async () => {
  const config = { template: 'x {topic}{/topic}', allowsUserMessage: true };
  const { published } = await publishToy(deps, ada, { slug: anySlug(), config });
  expect(published?.inputSchema['properties']).toHaveProperty('user_message');
});

test('an archived resource is published no more', async () => {
  const { id } = await publishToy(deps, ada, { slug: anySlug() });
  await patch(id, { name: 'Other' });
  await perform(archiveResource, [deps, ada], { id });
  await expect(publish(id)).rejects.toMatchObject({ code: 'conflict' });
  await expect(patch(id, { name: 'Third' })).rejects.toMatchObject({ code: 'conflict' });
  expect(await perform(getResource, [deps, ada], { id })).toMatchObject({ view: 'owner', state: 'archived' });
});

test('a published version never changes, whoever asks', async () => {
  const { id } = await publishToy(deps, ada, { slug: anySlug() });
  const change = (sql: string) => database.current.asUser(ada.userId, (tx) => tx.query(sql, [id]));
  const set = 'UPDATE x402_resource_versions SET';
  await expect(change(`${set} price_atomic = 0 WHERE resource_id = $1`)).rejects.toThrow('permission denied');
  await expect(change('DELETE FROM x402_resource_versions WHERE resource_id = $1')).rejects.toThrow(
    'permission denied',
  );
  await change(`${set} superseded_at = now() WHERE resource_id = $1`);
  await expect(change(`${set} superseded_at = NULL WHERE resource_id = $1`)).rejects.toThrow('never changes');
});
