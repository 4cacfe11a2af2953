import { beforeAll, expect, test } from 'vitest';
import { newId } from '#kit/index.ts';
import { useOlderDatabase } from '../../tests/support/older-database.ts';

const database = useOlderDatabase('0026');
const OWNER = 'user_ada';
const [faulty, paused, keyless] = [newId(), newId(), newId()];

/** A paused resource as the releases before stored it. */
async function insertOld(id: string, by: string, cause: string): Promise<void> {
  const versionId = newId();
  await database.current.asUser(OWNER, async (tx) => {
    await tx.query(
      `INSERT INTO x402_resources (id, owner_id, kind, slug, draft, created_at, updated_at)
       VALUES ($1, $2, 'toy', $3, '{}', now(), now())`,
      [id, OWNER, `s-${id}`],
    );
    await tx.query(
      `INSERT INTO x402_resource_versions (id, resource_id, owner_id, version, slug, kind, name, description, category,
         tags, price_atomic, offers, timeout_seconds, parameters, input_schema, config, draft_digest, search, published_at)
       VALUES ($1, $2, $3, 1, 'haiku', 'toy', 'Haiku', '', 'ai', '{}', 0, '[]', 60, '[]', '{}', '{}', 'd', '', now())`,
      [versionId, id, OWNER],
    );
    await tx.query(
      `UPDATE x402_resources SET state = 'paused', published_version_id = $2, paused_by = $3, pause_cause = $4
       WHERE id = $1`,
      [id, versionId, by, cause],
    );
  });
}

beforeAll(async () => {
  await database.current.system.query(
    `INSERT INTO users (id, name, email, username) VALUES ($1, 'Ada', 'ada@example.com', 'ada')`,
    [OWNER],
  );
  await insertOld(faulty, 'owner', 'model_gone: The model is no longer offered.');
  await insertOld(paused, 'owner', 'Paused by its creator.');
  await insertOld(keyless, 'key', 'Your OpenRouter key was deleted.');
  await database.update();
});

test('what a call had paused under its owner’s name is told from what the owner paused', async () => {
  const { rows } = await database.current.system.query<{ id: string; paused_by: string }>(
    'SELECT id, paused_by FROM x402_resources',
  );
  expect(Object.fromEntries(rows.map((row) => [row.id, row.paused_by]))).toEqual({
    [faulty]: 'fault',
    [paused]: 'owner',
    [keyless]: 'key',
  });
});

test('what its owner did not pause is looked at again at once', async () => {
  const { rows } = await database.current.system.query<{ id: string; due: boolean | null }>(
    'SELECT id, next_look_at <= now() AS due FROM x402_resources',
  );
  expect(Object.fromEntries(rows.map((row) => [row.id, row.due]))).toEqual({
    [faulty]: true,
    [paused]: null,
    [keyless]: true,
  });
});
