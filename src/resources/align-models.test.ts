import { beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { newId, type User } from '#kit/index.ts';
import { useOlderDatabase } from '../../tests/support/older-database.ts';
import { alignModels } from './align-models.ts';
import type { ResourceKind } from './index.ts';

const database = useOlderDatabase('0027');
const ada: Pick<User, 'userId' | 'username'> = { userId: 'user_ada', username: 'ada' };
const models = { poet: newId(), bard: newId(), gone: newId() };

/** The two kinds that have models, as far as aligning asks. */
const kinds = [
  {
    name: 'openrouter_instant',
    configSchema: z.object({ modelId: z.string() }),
    modelIdsOf: ({ modelId }: { modelId: string }) => [modelId],
  },
  {
    name: 'prompt_template',
    configSchema: z.object({ model: z.string(), upstream: z.object({ type: z.string() }) }),
    modelIdsOf: ({ model, upstream }: { model: string; upstream: { type: string } }) =>
      upstream.type === 'openrouter' ? [model] : [],
  },
] as unknown as ResourceKind[];

async function insertModel(id: string, openrouterId: string): Promise<void> {
  await database.current.system.query(
    `INSERT INTO ai_models (id, openrouter_id, canonical_slug, display_name, description, provider, input_modalities,
       output_modalities, supported_parameters, pricing, is_free, is_router, extra, first_seen_at, last_synced_at)
     VALUES ($1, $2, $2, $2, '', 'acme', '{text}', '{text}', '{}', '{}', false, false, '{}', now(), now())`,
    [id, openrouterId],
  );
}

/** A published resource as it was stored before versions carried their model; `versions` makes older ones of it. */
async function insertOld(slug: string, kind: string, configs: object[]): Promise<void> {
  const id = newId();
  await database.current.asUser(ada.userId, async (tx) => {
    await tx.query(
      `INSERT INTO x402_resources (id, owner_id, kind, slug, draft, created_at, updated_at)
       VALUES ($1, $2, $3, $4, '{}', now(), now())`,
      [id, ada.userId, kind, slug],
    );
    for (const [index, config] of configs.entries()) {
      const versionId = newId();
      await tx.query(
        `UPDATE x402_resource_versions SET superseded_at = now() WHERE resource_id = $1 AND superseded_at IS NULL`,
        [id],
      );
      await tx.query(
        `INSERT INTO x402_resource_versions (id, resource_id, owner_id, version, slug, kind, name, description, category,
           tags, price_atomic, offers, timeout_seconds, parameters, input_schema, config, draft_digest, search, published_at)
         VALUES ($1, $2, $3, $4, $5, $6, $5, '', 'ai', '{}', 0, '[]', 60, '[]', '{}', $7, 'digest', '', now())`,
        [versionId, id, ada.userId, index + 1, slug, kind, JSON.stringify(config)],
      );
      await tx.query(
        `UPDATE x402_resources SET state = 'published', published_version_id = $2, published_revision = 1 WHERE id = $1`,
        [id, versionId],
      );
    }
  });
}

async function read(): Promise<Record<string, string | null>> {
  const { rows } = await database.current.system.query<{ name: string; ai_model_id: string | null }>(
    `SELECT slug || ' ' || version AS name, ai_model_id FROM x402_resource_versions`,
  );
  return Object.fromEntries(rows.map(({ name, ai_model_id: id }) => [name, id]));
}

beforeAll(async () => {
  const { system } = database.current;
  await system.query('INSERT INTO users (id, name, email, username) VALUES ($1, $2, $3, $2)', [
    ada.userId,
    ada.username,
    'ada@example.com',
  ]);
  await insertModel(models.poet, 'acme/poet');
  await insertModel(models.gone, 'acme/gone');
  const openrouter = { type: 'openrouter' };
  await insertOld('instant', 'openrouter_instant', [{ modelId: 'acme/gone' }, { modelId: 'acme/poet' }]);
  await insertOld('template', 'prompt_template', [{ model: 'acme/poet', upstream: openrouter }]);
  await insertOld('elsewhere', 'prompt_template', [{ model: 'acme/poet', upstream: { type: 'chat_completions' } }]);
  await insertOld('unlisted', 'openrouter_instant', [{ modelId: 'acme/bard' }]);
  await insertOld('unreadable', 'prompt_template', [{ model: 7 }]);
  await insertOld('toy', 'toy', [{ modelId: 'acme/poet' }]);
  await database.update();
});

const migrated = () => ({
  'instant 1': models.gone,
  'instant 2': models.poet,
  'template 1': models.poet,
  'elsewhere 1': null,
  'unlisted 1': null,
  'unreadable 1': null,
  'toy 1': null,
});

async function inTransaction<T>(
  run: (tx: Parameters<typeof alignModels>[1]) => Promise<T>,
  undo = true,
): Promise<T | undefined> {
  let result: T | undefined;
  const undone = new Error('undone');
  await database.current
    .transaction(async (tx) => {
      result = await run(tx);
      if (undo) {
        throw undone;
      }
    })
    .catch((error: unknown) => {
      if (error !== undone) {
        throw error;
      }
    });
  return result;
}

test('versions from before are given the rows of their models, replaced ones too', async () => {
  expect(await read()).toEqual(migrated());
});

test('a sync points current versions at models that are new or renamed, and leaves all else', async () => {
  await inTransaction(async (tx) => {
    const catalogue = {
      activeIds: [models.bard],
      troubledIds: [models.bard],
      // The catalogue has renamed the poet, and the bard is new in it: one row for both.
      findId: (name: string) => (name === 'acme/gone' ? models.gone : models.bard),
    };
    await tx.query(
      `INSERT INTO ai_models SELECT $1, 'acme/bard', 'acme/bard', display_name, description, provider, input_modalities,
         output_modalities, context_length, max_completion_tokens, supported_parameters, pricing, prompt_price,
         completion_price, is_free, is_router, is_active, expiration_date, published_at, extra, first_seen_at, last_synced_at
       FROM ai_models WHERE openrouter_id = 'acme/poet'`,
      [models.bard],
    );
    expect(await alignModels({ kinds }, tx, catalogue)).toBe(3);
    const { rows } = await tx.query<{ name: string }>(
      `SELECT slug || ' ' || version AS name FROM x402_resource_versions WHERE ai_model_id = $1 ORDER BY 1`,
      [models.bard],
    );
    expect(rows.map(({ name }) => name)).toEqual(['instant 2', 'template 1', 'unlisted 1']);
  });
  expect(await read()).toEqual(migrated());
});

test('what the catalogue knows nothing of keeps the row that it had', async () => {
  const catalogue = { activeIds: [], troubledIds: [models.poet], findId: () => null };
  expect(await inTransaction((tx) => alignModels({ kinds }, tx, catalogue))).toBe(2);
  expect(await read()).toEqual(migrated());
});

test('nothing else of a published version changes, not even by the system', async () => {
  const change = (sql: string) => database.current.system.query(sql);
  await expect(change(`UPDATE x402_resource_versions SET name = 'Other'`)).rejects.toThrow('permission denied');
  const asOwner = (sql: string) => database.current.asUser(ada.userId, (tx) => tx.query(sql));
  await expect(asOwner(`UPDATE x402_resource_versions SET ai_model_id = NULL`)).rejects.toThrow('permission denied');
  await expect(
    asOwner(`UPDATE x402_resource_versions SET superseded_at = NULL WHERE superseded_at IS NOT NULL`),
  ).rejects.toThrow('never changes');
});
