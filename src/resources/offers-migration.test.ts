import { beforeAll, expect, test } from 'vitest';
import { newId, scopes, type User } from '#kit/index.ts';
import { useOlderDatabase } from '../../tests/support/older-database.ts';
import { NETWORK, openToyResources, PAY_TO, perform, toyDraft } from '../../tests/support/toy-resources.ts';
import { getResource, listResourceVersions, openPublished, publishResource, updateResource } from './index.ts';

const database = useOlderDatabase('0016');
const [paid, edited, free] = [newId(), newId(), newId()];
const ada: User = {
  kind: 'user',
  userId: 'user_ada',
  username: 'ada',
  email: 'ada@example.com',
  isAdmin: false,
  via: 'session',
  scopes,
};

const topic = { name: 'topic', type: 'string', description: '' };

/** A published resource as version 0.1 stored it. */
async function insertOld(id: string, slug: string, priceUsdc: string): Promise<void> {
  const { kind: _, ...draft } = toyDraft({ slug, priceUsdc, timeoutSeconds: 60, parameters: [topic] });
  const versionId = newId();
  await database.current.asUser(ada.userId, async (tx) => {
    await tx.query(
      `INSERT INTO x402_resources (id, owner_id, kind, slug, draft, created_at, updated_at)
       VALUES ($1, $2, 'toy', $3, $4, now(), now())`,
      [id, ada.userId, slug, JSON.stringify(draft)],
    );
    await tx.query(
      `INSERT INTO x402_resource_versions (id, resource_id, owner_id, version, slug, kind, name, description, category,
         tags, price_atomic, network, pay_to, timeout_seconds, parameters, input_schema, config, draft_digest, search,
         published_at)
       VALUES ($1, $2, $3, 1, $4, 'toy', 'Haiku', '', 'ai', '{}', $5, $6, $7, 60, '[]', '{}', $8, 'digest', '', now())`,
      [versionId, id, ada.userId, slug, Number(priceUsdc) * 1e6, NETWORK, PAY_TO, JSON.stringify(draft.config)],
    );
    await tx.query(
      `UPDATE x402_resources SET state = 'published', published_version_id = $2, published_revision = 1 WHERE id = $1`,
      [id, versionId],
    );
  });
}

beforeAll(async () => {
  await database.current.system.query('INSERT INTO users (id, name, email, username) VALUES ($1, $2, $3, $2)', [
    ada.userId,
    ada.username,
    ada.email,
  ]);
  await insertOld(paid, 'paid', '0.01');
  await insertOld(edited, 'edited', '0.01');
  await insertOld(free, 'free', '0');
  await database.update();
});

test('a version from before several offers has one, the one that it had', async () => {
  const { clock } = openToyResources(database.current);
  const published = openPublished({ database: database.current, clock });
  expect(await published.findById(paid)).toMatchObject({
    priceAtomic: 10_000n,
    offers: [{ scheme: 'exact', network: NETWORK, amountAtomic: 10_000n, payTo: PAY_TO }],
    settlementPoint: 'on_success',
  });
  // Published before a price had to cover its cost: sold as it was.
  expect(await published.findById(free)).toMatchObject({ priceAtomic: 0n, offers: [], maxLossUsd: null });
});

test('a draft from before several offers is read, edited and published', async () => {
  const { deps } = openToyResources(database.current);
  expect(await perform(getResource, [deps, ada], { id: edited })).toMatchObject({
    draft: { furtherOffers: [], settlementPoint: 'on_success', priceUsdc: '0.01', slug: 'edited' },
    hasUnpublishedChanges: false,
  });
  await perform(updateResource, [deps, ada], { id: edited, priceUsdc: '0.02' });
  await perform(publishResource, [deps, ada], { id: edited });
  const { items } = await perform(listResourceVersions, [deps, ada], { id: edited });
  expect(items.map((item) => item.offers)).toEqual([
    [{ scheme: 'exact', network: NETWORK, priceUsdc: '0.02', payTo: PAY_TO }],
    [{ scheme: 'exact', network: NETWORK, priceUsdc: '0.01', payTo: PAY_TO }],
  ]);
});
