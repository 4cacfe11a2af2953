import { beforeAll, expect, test } from 'vitest';
import { anonymous, Problem, toProblemJson, type Caller, type User } from '#kit/index.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import {
  openToyResources,
  perform,
  publishToy,
  storeDraft,
  tellOfKey,
  toyDraft,
} from '../../tests/support/toy-resources.ts';
import {
  archiveResource,
  createResource,
  getCreatorResource,
  getResource,
  listResources,
  listResourceVersions,
  pauseResource,
  publishResource,
  resumeResource,
  updateResource,
  type ResourcesDeps,
} from './index.ts';

const CANARY = 'canary-7f3a-of-the-prompt';
const CAUSE = 'canary-cause-91c2';

const database = useTestDatabase();
let deps: ResourcesDeps;
let ada: User;
let bob: User;
let published: string;
let draft: string;
let paused: string;

beforeAll(async () => {
  const toy = openToyResources(database.current);
  deps = toy.deps;
  ada = await toy.addUser('ada');
  bob = await toy.addUser('bob');
  const config = { template: `${CANARY} {topic}{/topic}` };
  published = (await publishToy(deps, ada, { slug: 'open', config })).id;
  draft = (await perform(createResource, [deps, ada], toyDraft({ slug: 'draft', config }))).id;
  paused = (await publishToy(deps, ada, { slug: 'paused', config: { ...config, needsKey: true } })).id;
  await tellOfKey(deps, ada.userId, ['openrouter', CAUSE]);
});

const strangers: [string, () => Caller][] = [
  ['nobody', () => anonymous],
  ['another creator', () => bob],
  ['an API key of the creator without the right to read', () => ({ ...ada, via: 'api_key', scopes: ['usage:read'] })],
];

test.each(strangers)('%s sees what is public and no prompt, configuration or cause', async (_, caller) => {
  const who: [ResourcesDeps, Caller] = [deps, caller()];
  const seen = [
    await perform(getResource, who, { id: published }),
    await perform(getResource, who, { id: paused }),
    await perform(getCreatorResource, who, { username: 'ada', slug: 'open' }),
    await perform(getCreatorResource, who, { username: 'ada', slug: 'paused' }),
    await perform(listResources, who, {}),
    await perform(listResources, who, { q: 'haiku' }),
    await perform(listResourceVersions, who, { id: published }),
  ];
  const text = JSON.stringify(seen);
  expect(text).not.toContain('canary');
  expect(text).not.toContain('"config"');
  expect(text).not.toContain('"draft"');
  expect(text).not.toContain('pauseCause');
  expect(seen[0]).toMatchObject({ view: 'public', details: { model: 'toy/echo' }, inputSchema: { type: 'object' } });
  expect(seen[1]).toMatchObject({ state: 'paused' });
});

test.each(strangers)('%s cannot search for what stands in the prompt', async (_, caller) => {
  const found = await perform(listResources, [deps, caller()], { q: CANARY });
  expect(found.items).toEqual([]);
});

test.each(strangers)('%s does not learn that a draft exists', async (_, caller) => {
  await expect(perform(getResource, [deps, caller()], { id: draft })).rejects.toMatchObject({ code: 'not_found' });
  await expect(perform(listResourceVersions, [deps, caller()], { id: draft })).rejects.toMatchObject({
    code: 'not_found',
  });
  await expect(perform(getCreatorResource, [deps, caller()], { username: 'ada', slug: 'draft' })).rejects.toMatchObject(
    { code: 'not_found' },
  );
});

const changes = { publishResource, pauseResource, resumeResource, archiveResource };

test.each(Object.entries(changes))('another creator meets not_found at %s', async (_, change) => {
  for (const id of [published, draft, paused]) {
    await expect(perform(change as typeof pauseResource, [deps, bob], { id })).rejects.toMatchObject({
      code: 'not_found',
    });
    await expect(perform(change as typeof pauseResource, [deps, anonymous], { id })).rejects.toMatchObject({
      code: 'unauthenticated',
    });
  }
});

test('another creator cannot edit', async () => {
  const edit = perform(updateResource, [deps, bob], { id: published, name: 'Mine now' });
  await expect(edit).rejects.toMatchObject({ code: 'not_found' });
});

test('another creator lists nothing of it as theirs', async () => {
  expect(await perform(listResources, [deps, bob], { mine: true })).toEqual({ items: [], nextCursor: null });
  await expect(perform(listResources, [deps, anonymous], { mine: true })).rejects.toMatchObject({
    code: 'unauthenticated',
  });
});

test('the creator sees everything, the prompt and the cause too', async () => {
  const own = await perform(getResource, [deps, ada], { id: paused });
  expect(own).toMatchObject({ view: 'owner', pauseCause: CAUSE, pausedBy: 'key', draft: { slug: 'paused' } });
  expect(JSON.stringify(own)).toContain(CANARY);
  const { items } = await perform(listResourceVersions, [deps, ada], { id: published });
  expect(JSON.stringify(items)).toContain(CANARY);
});

test('no refusal repeats the prompt', async () => {
  const hostile = [
    { template: `${CANARY} {${CANARY}}{/${CANARY}}` },
    { template: CANARY, [CANARY]: 1 },
    { template: { text: CANARY } },
    { template: `{/topic} ${CANARY}`.repeat(5000) },
  ];
  for (const config of hostile) {
    const given = toyDraft({ slug: `h${hostile.indexOf(config)}`, config });
    const { id } = await storeDraft(deps, ada, given);
    const { slug: _, kind: _kind, ...fields } = given;
    for (const asked of [
      () => perform(publishResource, [deps, ada], { id }),
      () => perform(updateResource, [deps, ada], { id, ...fields }),
    ]) {
      const refusal: unknown = await asked().catch((error: unknown) => error);
      expect(refusal).toBeInstanceOf(Problem);
      const { errors, ...rest } = toProblemJson(refusal, { requestId: 'r' });
      expect(JSON.stringify(rest)).not.toContain(CANARY);
      expect(JSON.stringify(errors)).not.toContain('prompt {');
    }
  }
});

test('row-level security hides every table of one creator from another', async () => {
  for (const table of ['x402_resources', 'x402_resource_versions', 'x402_resource_slugs']) {
    const rows = (user: User) =>
      database.current.asUser(user.userId, async (tx) => (await tx.query(`SELECT owner_id FROM ${table}`)).rows);
    expect(await rows(bob)).toEqual([]);
    expect(new Set((await rows(ada)).map((row) => row.owner_id))).toEqual(new Set([ada.userId]));
  }
});

test('nobody can write in the name of another, nor hang a version or slug on their resource', async () => {
  const asBob = (sql: string, values: unknown[]) => database.current.asUser(bob.userId, (tx) => tx.query(sql, values));
  const copy = (owner: string) =>
    `INSERT INTO x402_resource_slugs (owner_id, slug, resource_id) VALUES ('${owner}', 'stolen', $1)`;
  await expect(asBob(copy(ada.userId), [published])).rejects.toThrow('row-level security');
  await expect(asBob(copy(bob.userId), [published])).rejects.toThrow('foreign key');
  const version = `INSERT INTO x402_resource_versions (id, resource_id, owner_id, version, slug, kind, name, description,
      category, tags, price_atomic, offers, timeout_seconds, parameters, input_schema, config, draft_digest,
      search, published_at, superseded_at)
    VALUES (gen_random_uuid(), $1, $2, 99, 's', 'toy', 'n', '', 'ai', '{}', 0, '[]', 1, '[]', '{}', '{}', 'd', '', now(), now())`;
  await expect(asBob(version, [published, bob.userId])).rejects.toThrow('foreign key');
  await expect(asBob(version, [published, ada.userId])).rejects.toThrow('row-level security');
  const { rowCount } = await asBob('UPDATE x402_resources SET state = $2 WHERE id = $1', [published, 'archived']);
  expect(rowCount).toBe(0);
});
