import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { listen } from '#database/index.ts';
import { newId, type User } from '#kit/index.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { NETWORK, openToyResources, PAY_TO, perform, publishToy } from '../../tests/support/toy-resources.ts';
import {
  archiveResource,
  createResource,
  openPublished,
  pauseResource,
  publishResource,
  updateResource,
} from './index.ts';
import type { Published, ResourcesDeps } from './index.ts';

const database = useTestDatabase();
let toy: ReturnType<typeof openToyResources>;
let deps: ResourcesDeps;
let published: Published;
let ada: User;
let heard: string[];
let onHeard: () => void;
let listening: Awaited<ReturnType<typeof listen>>;

beforeAll(async () => {
  ada = await openToyResources(database.current).addUser('ada');
  listening = await listen({
    url: database.url,
    channels: ['resources_changed'],
    onNotify: (_channel, payload) => {
      published.onResourcesChanged(payload);
      heard.push(payload);
      onHeard();
    },
    onReconnect: () => published?.dropAll(),
  });
});

afterAll(() => listening.close());

beforeEach(() => {
  toy = openToyResources(database.current);
  deps = toy.deps;
  published = openPublished({ database: database.current, clock: toy.clock });
  heard = [];
  onHeard = () => {};
});

const countHeard = (id: string) => heard.filter((payload) => payload === id).length;

/** Ends when the resource was announced that often; what the tests before left on its way does not count. */
async function untilHeard(id: string, times = 1): Promise<void> {
  while (countHeard(id) < times) {
    await new Promise<void>((resolve) => {
      onHeard = resolve;
    });
  }
}

const anySlug = () => `s-${newId()}`;

test('finds by name, resource and version, and answers at once the second time', async () => {
  const slug = anySlug();
  const { id } = await publishToy(deps, ada, { slug });
  const found = await published.find('ada', slug);
  expect(found).toMatchObject({
    resourceId: id,
    version: 1,
    ownerId: ada.userId,
    creator: 'ada',
    slug,
    kind: 'toy',
    state: 'published',
    pauseCause: null,
    priceAtomic: 10_000n,
    offers: [{ scheme: 'exact', network: NETWORK, amountAtomic: 10_000n, payTo: PAY_TO }],
    settlementPoint: 'on_success',
    timeoutSeconds: 60,
    config: { template: 'A haiku about {topic}{/topic}.', model: 'toy/echo' },
    superseded: [],
  });
  expect(published.find('ada', slug)).toBe(found);
  expect(await published.findById(id)).toMatchObject({ resourceId: id });
  expect(await published.findVersion(found?.versionId ?? '')).toMatchObject({ resourceId: id, version: 1 });
});

test('a change is noticed through the database, by every process that listens', async () => {
  const slug = anySlug();
  const { id } = await publishToy(deps, ada, { slug });
  await untilHeard(id);
  await published.find('ada', slug);
  await perform(pauseResource, [deps, ada], { id });
  await untilHeard(id, 2);
  expect(await published.find('ada', slug)).toMatchObject({ state: 'paused', pauseCause: 'Paused by its creator.' });
});

test('an edit of a draft wakes nobody', async () => {
  const first = await publishToy(deps, ada, { slug: anySlug() });
  await perform(updateResource, [deps, ada], { id: first.id, name: 'Edited' });
  const second = await publishToy(deps, ada, { slug: anySlug() });
  await untilHeard(second.id);
  expect(countHeard(first.id)).toBe(1);
});

test('this process knows of its own changes without waiting', async () => {
  const told: string[] = [];
  deps = { ...deps, onChanged: (id) => told.push(id) };
  const { id } = await publishToy(deps, ada, { slug: anySlug() });
  expect(told).toEqual([id, id]);
});

test('names that cannot exist, drafts and unknown ids are nothing', async () => {
  const draft = await perform(createResource, [deps, ada], { kind: 'toy', slug: anySlug() });
  expect(await published.find('ada', draft.slug)).toBeNull();
  expect(await published.findById(draft.id)).toBeNull();
  expect(await published.find('nobody', 'nothing')).toBeNull();
  for (const [creator, slug] of [
    ['Ada', 'x'],
    ['ada', 'X'],
    ['ada', 'a--b'],
    ['ada', ''],
    ['ada', '\0'],
    ['a', 'b/c'],
  ] as const) {
    expect(published.find(creator, slug)).toBeNull();
  }
  expect(published.findById('not-an-id')).toBeNull();
  expect(published.findVersion("' OR 1=1")).toBeNull();
});

test('archived resources are found as such, so that buyers can be told', async () => {
  const slug = anySlug();
  const { id } = await publishToy(deps, ada, { slug });
  await perform(archiveResource, [deps, ada], { id });
  published.dropAll();
  expect(await published.find('ada', slug)).toMatchObject({ state: 'archived' });
});

async function republish(id: string, fields: Record<string, unknown>): Promise<void> {
  await perform(updateResource, [deps, ada], { id, ...fields });
  await perform(publishResource, [deps, ada], { id });
  published.onResourcesChanged(id);
}

test('a replaced price can be paid for two more minutes', async () => {
  const slug = anySlug();
  const { id } = await publishToy(deps, ada, { slug });
  const before = await published.find('ada', slug);
  toy.clock.nowMs += 60_000;
  await republish(id, { priceUsdc: '0.02' });
  const until = new Date(toy.clock.nowMs + 120_000);
  const replaced = {
    versionId: before?.versionId,
    offers: before?.offers,
    settlementPoint: 'on_success',
    timeoutSeconds: before?.timeoutSeconds,
    until,
  };
  expect(await published.find('ada', slug)).toMatchObject({ version: 2, priceAtomic: 20_000n, superseded: [replaced] });
  toy.clock.nowMs += 119_999;
  published.dropAll();
  expect(await published.find('ada', slug)).toMatchObject({ superseded: [replaced] });
  toy.clock.nowMs += 1;
  published.dropAll();
  expect(await published.find('ada', slug)).toMatchObject({ superseded: [] });
});

test('a new version at the same price supersedes no offer', async () => {
  const slug = anySlug();
  const { id } = await publishToy(deps, ada, { slug });
  await republish(id, { name: 'Same price' });
  expect(await published.find('ada', slug)).toMatchObject({ version: 2, superseded: [] });
});

test('a replaced version is still found by its id', async () => {
  const slug = anySlug();
  const { id } = await publishToy(deps, ada, { slug });
  const first = await published.find('ada', slug);
  await republish(id, { name: 'Second' });
  expect(await published.findVersion(first?.versionId ?? '')).toMatchObject({ version: 1, name: 'Haiku' });
});

test('a resource that was published under another slug is still found there', async () => {
  const [old, next] = [anySlug(), anySlug()];
  const { id } = await publishToy(deps, ada, { slug: old });
  await perform(updateResource, [deps, ada], { id, slug: next });
  expect(await published.find('ada', next)).toBeNull();
  await perform(publishResource, [deps, ada], { id });
  published.dropAll();
  expect(await published.find('ada', next)).toMatchObject({ resourceId: id, slug: next });
  expect(await published.find('ada', old)).toMatchObject({ resourceId: id, slug: next });
  await expect(publishToy(deps, ada, { slug: old })).rejects.toMatchObject({ code: 'conflict' });
});
