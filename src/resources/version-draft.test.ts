import { beforeAll, expect, test } from 'vitest';
import { newId, scopes, type User } from '#kit/index.ts';
import { useOlderDatabase } from '../../tests/support/older-database.ts';
import {
  NETWORK,
  openToyResources,
  OTHER_NETWORK,
  PAY_TO,
  perform,
  toyDraft,
} from '../../tests/support/toy-resources.ts';
import { listResourceVersions, openPublished, rollBackResource, updateResourceVersion } from './index.ts';

const database = useOlderDatabase('0039');
const id = newId();
let beganAt: number;
const ada: User = {
  kind: 'user',
  userId: 'user_ada',
  username: 'ada',
  email: 'ada@example.com',
  isAdmin: false,
  via: 'session',
  scopes,
};
const topic = { name: 'topic', type: 'string', description: 'What about?', example: 'frogs' };
const offers = [NETWORK, OTHER_NETWORK].map((network, index) => ({
  scheme: 'exact',
  network,
  payTo: PAY_TO,
  amountAtomic: String(10_000 * (index + 1)),
}));

/** As the release before versions had numbers to be called by. */
async function insertVersion(version: number, name: string, supersededAt: string | null): Promise<string> {
  const versionId = newId();
  await database.current.asUser(ada.userId, (tx) =>
    tx.query(
      `INSERT INTO x402_resource_versions (id, resource_id, owner_id, version, slug, kind, name, description, category,
         tags, price_atomic, offers, settlement_point, timeout_seconds, parameters, input_schema, config, draft_digest,
         search, published_at, superseded_at)
       VALUES ($1, $2, $3, $4, 'haiku', 'toy', $5, 'A poem.', 'ai', '{poem}', 10000, $6, 'on_success', 60, $7, '{}', $8,
         $5, '', now(), $9)`,
      [
        versionId,
        id,
        ada.userId,
        version,
        name,
        JSON.stringify(offers),
        JSON.stringify([topic]),
        JSON.stringify({ template: `${name} {topic}{/topic}` }),
        supersededAt,
      ],
    ),
  );
  return versionId;
}

beforeAll(async () => {
  await database.current.system.query('INSERT INTO users (id, name, email, username) VALUES ($1, $2, $3, $2)', [
    ada.userId,
    ada.username,
    ada.email,
  ]);
  const { kind: _, ...draft } = toyDraft({ furtherOffers: [], settlementPoint: 'on_success', timeoutSeconds: 60 });
  await database.current.asUser(ada.userId, (tx) =>
    tx.query(
      `INSERT INTO x402_resources (id, owner_id, kind, slug, draft, created_at, updated_at)
       VALUES ($1, $2, 'toy', 'haiku', $3, now(), now())`,
      [id, ada.userId, JSON.stringify(draft)],
    ),
  );
  await database.current.asUser(ada.userId, (tx) =>
    tx.query(`INSERT INTO x402_resource_slugs (owner_id, slug, resource_id) VALUES ($1, 'haiku', $2)`, [
      ada.userId,
      id,
    ]),
  );
  await insertVersion(1, 'First', '2026-01-01T00:00:00Z');
  await insertVersion(2, 'Second', '2026-01-02T00:00:00Z');
  const current = await insertVersion(3, 'Third', null);
  await database.current.asUser(ada.userId, (tx) =>
    tx.query(
      `UPDATE x402_resources SET state = 'published', published_version_id = $2, published_revision = revision
       WHERE id = $1`,
      [id, current],
    ),
  );
  const { rows } = await database.current.system.query<{ now: Date }>('SELECT now()');
  beganAt = rows[0]?.now.getTime() ?? NaN;
  await database.update();
});

test('versions that were replaced before they could be called by number are withdrawn, the present one is not', async () => {
  const { deps, clock } = openToyResources(database.current);
  const { items } = await perform(listResourceVersions, [deps, ada], { id });
  const withdrawn = new Map(items.map(({ version, withdrawnAt }) => [version, withdrawnAt]));
  expect(withdrawn.get(3)).toBeNull();
  // When the migration did it, not when they were replaced.
  expect(Date.parse(withdrawn.get(1) ?? '')).toBeGreaterThanOrEqual(beganAt);
  const published = openPublished({ database: database.current, clock });
  expect(await published.find('ada', 'haiku', 1)).toMatchObject({ version: 1, state: 'archived' });
  expect(await published.find('ada', 'haiku', 3)).toMatchObject({ version: 3, state: 'published', isPinned: true });
  expect(await published.find('ada', 'haiku', 9)).toBeNull();
});

test('a version from before drafts were kept is rolled back to with all that it offered', async () => {
  const { deps } = openToyResources(database.current);
  const rolled = await perform(rollBackResource, [deps, ada], { id, version: 1 });
  expect(rolled).toMatchObject({
    draft: {
      name: 'First',
      description: 'A poem.',
      priceUsdc: '0.01',
      network: NETWORK,
      payTo: PAY_TO,
      furtherOffers: [{ network: OTHER_NETWORK, priceUsdc: '0.02' }],
      parameters: [topic],
      config: { template: 'First {topic}{/topic}' },
    },
    published: { version: 4, name: 'First' },
  });
  expect(rolled.published?.offers.map(({ priceUsdc }) => priceUsdc)).toEqual(['0.01', '0.02']);
});

test('other processes are told when a version is withdrawn', async () => {
  const { deps } = openToyResources(database.current);
  const heard = Promise.withResolvers<string | undefined>();
  const listener = await database.current.system.connect();
  try {
    listener.on('notification', ({ payload }) => heard.resolve(payload));
    await listener.query('LISTEN resources_changed');
    await perform(updateResourceVersion, [deps, ada], { id, version: 2, withdrawn: false });
    expect(await heard.promise).toBe(id);
  } finally {
    listener.release(true);
  }
});
