import { beforeAll, beforeEach, expect, test } from 'vitest';
import { anonymous, newId, type User } from '#kit/index.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { openToyResources, perform, publishToy, tellOfKey, toyDraft } from '../../tests/support/toy-resources.ts';
import {
  archiveResource,
  createResource,
  followIntegration,
  getCreatorResource,
  getResource,
  listAffected,
  listResourceVersions,
  pauseResource,
  publishResource,
  resumeResource,
  updateResource,
  type ResourcesDeps,
} from './index.ts';

const database = useTestDatabase();
let toy: ReturnType<typeof openToyResources>;
let deps: ResourcesDeps;
let creator: User;

beforeAll(async () => {
  creator = await openToyResources(database.current).addUser('ada');
});

beforeEach(() => {
  toy = openToyResources(database.current);
  deps = toy.deps;
});

const anySlug = () => `s-${newId()}`;
const make = (needsKey = false) =>
  publishToy(deps, creator, { slug: anySlug(), config: { template: '{topic}{/topic}', needsKey } });
const changes = { pauseResource, resumeResource, archiveResource, publishResource };
const change = (operation: (typeof changes)[keyof typeof changes], id: string) =>
  perform(operation as typeof pauseResource, [deps, creator], { id });
const read = (id: string) => perform(getResource, [deps, creator], { id });

test('pause and resume', async () => {
  const { id } = await make();
  expect(await change(pauseResource, id)).toMatchObject({ state: 'paused', pausedBy: 'owner' });
  expect(await change(resumeResource, id)).toMatchObject({ state: 'published', pausedBy: null, pauseCause: null });
});

test('a draft can be neither paused nor resumed, and what is not paused cannot be resumed', async () => {
  const { id } = await perform(createResource, [deps, creator], { kind: 'toy', slug: anySlug() });
  await expect(change(pauseResource, id)).rejects.toMatchObject({ code: 'conflict' });
  await expect(change(resumeResource, id)).rejects.toMatchObject({ code: 'conflict' });
  await expect(change(resumeResource, (await make()).id)).rejects.toMatchObject({ code: 'conflict' });
});

test('publishing does not end a pause', async () => {
  const { id } = await make();
  await change(pauseResource, id);
  await perform(updateResource, [deps, creator], { id, name: 'Other' });
  expect(await change(publishResource, id)).toMatchObject({ state: 'paused', published: { version: 2 } });
});

test('archiving is for good: gone for others, its slug never free again', async () => {
  const { id, slug } = await make();
  expect(await change(archiveResource, id)).toMatchObject({ state: 'archived' });
  const gone = { code: 'gone', status: 410 };
  await expect(perform(getResource, [deps, anonymous], { id })).rejects.toMatchObject(gone);
  await expect(perform(listResourceVersions, [deps, anonymous], { id })).rejects.toMatchObject(gone);
  await expect(perform(getCreatorResource, [deps, anonymous], { username: 'ada', slug })).rejects.toMatchObject(gone);
  for (const operation of [pauseResource, resumeResource, archiveResource]) {
    await expect(change(operation, id)).rejects.toMatchObject({ code: 'conflict' });
  }
  await expect(publishToy(deps, creator, { slug })).rejects.toMatchObject({
    code: 'conflict',
    fields: [{ path: '/slug' }],
  });
});

test('an unpublished draft gives its slug back when it takes another', async () => {
  const [first, second] = [anySlug(), anySlug()];
  const { id } = await perform(createResource, [deps, creator], { kind: 'toy', slug: first });
  expect(await perform(updateResource, [deps, creator], { id, slug: second })).toMatchObject({ slug: second });
  await expect(perform(createResource, [deps, creator], { kind: 'toy', slug: second })).rejects.toMatchObject({
    code: 'conflict',
  });
  await expect(perform(createResource, [deps, creator], { kind: 'toy', slug: first })).resolves.toMatchObject({
    slug: first,
  });
});

test('two creators may use the same slug', async () => {
  const eve = await toy.addUser('eve');
  const { slug } = await make();
  await expect(publishToy(deps, eve, { slug })).resolves.toMatchObject({ url: `https://farebox.test/@eve/${slug}` });
});

const SERVICE = { name: 'openrouter', provider: 'OpenRouter', credential: 'key' };
const lose = (service = SERVICE.name, problem = 'The key was removed.') =>
  tellOfKey(deps, creator.userId, [service, problem]);
const regain = (service = SERVICE.name) => tellOfKey(deps, creator.userId, [service, null]);

test('without the key, what needs it pauses; with a new one, only that comes back', async () => {
  const [needy, pausedNeedy, other] = [await make(true), await make(true), await make(false)];
  await change(pauseResource, pausedNeedy.id);
  const { items } = await perform(listAffected(SERVICE), [deps, creator], {});
  expect(items).toContainEqual({ id: needy.id, kind: 'toy', slug: needy.slug, name: 'Haiku', state: 'published' });
  expect(items.map(({ id }) => id)).toContain(pausedNeedy.id);
  expect(items.map(({ id }) => id)).not.toContain(other.id);
  expect((await lose()).paused).toContain(needy.id);
  expect(await read(needy.id)).toMatchObject({ state: 'paused', pausedBy: 'key', pauseCause: 'The key was removed.' });
  expect(await read(other.id)).toMatchObject({ state: 'published' });
  expect(await lose(SERVICE.name, 'Again.')).toEqual({ paused: [], resumed: [], stillSelling: [] });
  expect((await regain()).resumed).toContain(needy.id);
  expect(await read(needy.id)).toMatchObject({ state: 'published', pauseCause: null });
  expect(await read(pausedNeedy.id)).toMatchObject({ state: 'paused', pausedBy: 'owner' });
});

test('the key of another service pauses and resumes nothing', async () => {
  const { id } = await make(true);
  expect((await lose('toychat')).paused).not.toContain(id);
  expect((await perform(listAffected({ ...SERVICE, name: 'toychat' }), [deps, creator], {})).items).toEqual([]);
  await lose();
  expect((await regain('toychat')).resumed).not.toContain(id);
  expect(await read(id)).toMatchObject({ state: 'paused', pausedBy: 'key' });
});

test('what needs no key any more is on sale again as it is published without one', async () => {
  const { id } = await make(true);
  await lose();
  await perform(updateResource, [deps, creator], { id, config: { template: '{topic}{/topic}', needsKey: false } });
  expect(await change(publishResource, id)).toMatchObject({ state: 'published', pausedBy: null, pauseCause: null });
  expect((await regain()).resumed).not.toContain(id);
});

test('a change of the key tells this process only when it is committed', async () => {
  const told: string[] = [];
  deps.onChanged = (id) => void told.push(id);
  const { id } = await make(true);
  told.length = 0;
  const lost = { ownerId: creator.userId, service: SERVICE.name, problem: 'The key was removed.' };
  const reaction = await deps.database.asUser(creator.userId, async (tx) => {
    const reacted = await followIntegration(deps, tx, lost);
    expect(told).toEqual([]);
    return reacted;
  });
  reaction.afterCommit();
  expect(told).toContain(id);
});

test('what the creator pauses on top of a missing key stays paused when the key returns', async () => {
  const { id } = await make(true);
  await lose();
  expect(await change(pauseResource, id)).toMatchObject({ pausedBy: 'owner' });
  await regain();
  expect(await read(id)).toMatchObject({ state: 'paused' });
});

test('what was paused for the key resumes by hand only when it can work', async () => {
  const { id } = await make(true);
  await lose();
  toy.kind.readiness = { ready: false, cause: 'No key.' };
  await expect(change(resumeResource, id)).rejects.toMatchObject({ code: 'unprocessable' });
  toy.kind.readiness = { ready: true };
  expect(await change(resumeResource, id)).toMatchObject({ state: 'published' });
});

/** Is a transaction waiting for a lock that another one holds? */
async function isWaiting(): Promise<boolean> {
  const { rows } = await deps.database.system.query<{ isThere: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_database d ON d.datname = current_database()
       WHERE NOT l.granted AND (l.database = d.oid OR l.database IS NULL)) AS "isThere"`,
  );
  return rows[0]?.isThere === true;
}

async function untilWaiting(): Promise<void> {
  while (!(await isWaiting())) {
    // Asked again at once.
  }
}

test.each([
  ['resumed', true],
  ['published for the first time', false],
])('what is being %s while the key goes is paused with the rest', async (_, isPaused) => {
  const config = { template: '{topic}{/topic}', needsKey: true };
  const { id } = isPaused
    ? await make(true)
    : await perform(createResource, [deps, creator], toyDraft({ slug: anySlug(), config }));
  if (isPaused) {
    await change(pauseResource, id);
  }
  let losing: ReturnType<typeof lose> | undefined;
  deps.findStats = async () => {
    losing ??= lose();
    await Promise.race([losing, untilWaiting()]);
    return new Map();
  };
  expect(await change(isPaused ? resumeResource : publishResource, id)).toMatchObject({ state: 'published' });
  expect((await losing)?.paused).toContain(id);
  deps.findStats = async () => new Map();
  expect(await read(id)).toMatchObject({ state: 'paused', pausedBy: 'key' });
});

test('a resource whose key goes after it was found ready does not resume', async () => {
  const { id } = await make(true);
  await change(pauseResource, id);
  toy.kind.isReady = async () => {
    toy.clock.nowMs += 1;
    await lose();
    return { ready: true };
  };
  await expect(change(resumeResource, id)).rejects.toMatchObject({ code: 'conflict' });
  expect(await read(id)).toMatchObject({ state: 'paused', pausedBy: 'owner' });
});

test('what its creator paused resumes only when it can work: the key may have gone meanwhile', async () => {
  const { id } = await make(true);
  await change(pauseResource, id);
  expect((await lose()).paused).not.toContain(id);
  toy.kind.readiness = { ready: false, cause: 'No key.' };
  const refused = { code: 'unprocessable', message: 'The resource cannot serve yet: No key.' };
  await expect(change(resumeResource, id)).rejects.toMatchObject(refused);
  expect(await read(id)).toMatchObject({ state: 'paused', pausedBy: 'owner' });
});
