import { beforeEach, expect, test } from 'vitest';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { findModel } from './find-model.ts';
import { openModels, syncModels, type ModelsDeps } from './index.ts';
import { SNAPSHOT_TRIGGER } from './sync-models.ts';

const database = useTestDatabase();
const HOUR = 3_600_000;
let deps: ModelsDeps;
let catalogue: unknown[];
let nowMs: number;
let warned: string[];

const entry = (slug: string, more: object = {}) => ({
  id: `maker/${slug}`,
  name: `Maker: ${slug}`,
  context_length: 1000,
  architecture: { input_modalities: ['text'], output_modalities: ['text'] },
  pricing: { prompt: '0.000001', completion: '0.000002' },
  supported_parameters: ['max_tokens'],
  ...more,
});
const many = (length: number) => Array.from({ length }, (_, index) => entry(`m${index}`));

beforeEach(async () => {
  catalogue = many(10);
  nowMs = Date.parse('2026-11-18T03:00:00Z');
  warned = [];
  deps = openModels({
    database: database.current,
    fetchCatalogue: async () => catalogue,
    clock: { now: () => nowMs },
    log: {
      debug: () => {},
      info: () => {},
      error: () => {},
      warn: (_fields: object, message: string) => void warned.push(message),
    },
  });
  // Rows are never deleted, so what other tests have left counts as gone before the first list of this one.
  await database.current.system.query('UPDATE ai_models SET is_active = false');
});

async function sync(next: unknown[], force = false) {
  catalogue = next;
  return syncModels(deps, { trigger: 'test', force });
}

async function changesOf(syncId: string): Promise<string[]> {
  const { rows } = await database.current.system.query(
    'SELECT kind, openrouter_id FROM ai_model_changes WHERE sync_id = $1 ORDER BY id',
    [syncId],
  );
  return rows.map((row) => `${row.kind} ${row.openrouter_id}`);
}

async function everything(): Promise<unknown> {
  const { rows } = await database.current.system.query('SELECT jsonb_agg(m ORDER BY m.id) AS models FROM ai_models m');
  return rows[0];
}

test('a list that lacks more than a tenth of the models at once changes nothing, unless an administrator means it', async () => {
  await sync(many(50));
  const before = await everything();
  const doubt = { status: 'refused', reason: 'too_many_vanish', active: 50, affected: 6 };
  const refused = await sync(many(44));
  expect(refused).toMatchObject(doubt);
  expect(await sync([])).toMatchObject({ status: 'refused', reason: 'empty' });
  expect(await sync([{ id: 'unreadable' }], true)).toMatchObject({ status: 'refused', reason: 'empty' });
  expect(await everything()).toEqual(before);
  expect(await sync(many(45))).toMatchObject({ status: 'applied', counts: { removed: 0, missing: 5 } });
  expect(await sync(many(44), true)).toMatchObject({ status: 'applied', counts: { removed: 6, missing: 0 } });
  const { rows } = await database.current.system.query('SELECT problem FROM ai_model_syncs WHERE id = $1', [
    refused.syncId,
  ]);
  expect(rows).toEqual([{ problem: 'too_many_vanish: 6 of 50 active models would vanish.' }]);
});

test('a list in which more than a tenth of the models cost nothing all at once is not believed', async () => {
  const free = { pricing: { prompt: '0', completion: '0.0' } };
  await sync(many(50));
  const before = await everything();
  const half = [...many(44), ...Array.from({ length: 6 }, (_, index) => entry(`m${index + 44}`, free))];
  expect(await sync(half)).toMatchObject({ status: 'refused', reason: 'prices_vanish', active: 50, affected: 6 });
  expect(await everything()).toEqual(before);
  expect(await sync(half.slice(0, 49))).toMatchObject({ status: 'applied', counts: { price: 5 } });
});

test('in a small catalogue three models may be missing at once', async () => {
  await sync(many(10));
  expect(await sync(many(7))).toMatchObject({ status: 'applied', counts: { missing: 3 } });
  expect(await sync(many(3))).toMatchObject({ status: 'refused', affected: 4 });
});

test('a model is gone only when three lists in a row over at least a day have lacked it', async () => {
  const rest = many(10).slice(1);
  const isActive = async () => (await findModel(deps, 'maker/m0'))?.isActive;
  await sync(many(10));
  expect(await sync(rest)).toMatchObject({ counts: { removed: 0, missing: 1 }, missing: ['maker/m0'] });
  expect(await findModel(deps, 'maker/m0')).toMatchObject({ isActive: true, missingSince: '2026-11-18T03:00:00Z' });
  await sync(rest);
  await sync(rest);
  nowMs += 24 * HOUR - 1;
  await sync(rest);
  expect(await isActive()).toBe(true);
  nowMs += 1;
  expect(await sync(rest)).toMatchObject({ counts: { removed: 1, missing: 0 } });
  expect(await isActive()).toBe(false);
});

test('two lists without a model are not enough, however long the time between them', async () => {
  await sync(many(10));
  await sync(many(9));
  nowMs += 90 * 24 * HOUR;
  expect(await sync(many(9))).toMatchObject({ counts: { removed: 0, missing: 1 } });
  expect(await findModel(deps, 'maker/m9')).toMatchObject({ isActive: true });
});

test('a list that has the model again ends the count, and a refused list does not count', async () => {
  await sync(many(10));
  await sync(many(9));
  nowMs += 25 * HOUR;
  await sync(many(9));
  await sync(many(2));
  await sync(many(10));
  expect(await findModel(deps, 'maker/m9')).toMatchObject({ missingSince: null });
  expect(await sync(many(9))).toMatchObject({ counts: { removed: 0, missing: 1 } });
});

test('a model that the list lacks after its announced end is gone at once', async () => {
  await sync([...many(10), entry('old', { expiration_date: '2026-11-17' })]);
  expect(await sync(many(10))).toMatchObject({ counts: { removed: 1, missing: 0 } });
});

test('what is odd in a listed model keeps the last good row, and the record names model, field and what it was', async () => {
  await sync([
    ...many(9),
    entry('dear', { architecture: { input_modalities: ['text'], output_modalities: ['image'] } }),
  ]);
  const before = await findModel(deps, 'maker/dear');
  nowMs += HOUR;
  const odd = {
    pricing: { prompt: { usd: 1 }, completion: null },
    architecture: { input_modalities: ['text'], output_modalities: [] },
  };
  const second = await sync([...many(9), entry('dear', odd), entry('new', odd)]);
  const told = [
    {
      openrouterId: 'maker/dear',
      fields: [
        { field: 'architecture.output_modalities', found: 'an empty list' },
        { field: 'pricing.prompt', found: 'an object with usd' },
      ],
      isKept: true,
    },
    {
      openrouterId: 'maker/new',
      fields: [{ field: '', found: 'unreadable architecture.output_modalities' }],
      isKept: false,
    },
  ];
  expect(second).toMatchObject({
    status: 'applied',
    counts: { odd: 2, skipped: 1, removed: 0, missing: 0 },
    odd: told,
  });
  expect(await changesOf(second.syncId)).toEqual([]);
  expect(await findModel(deps, 'maker/dear')).toEqual({
    ...before,
    oddFields: told[0]?.fields,
    oddSince: '2026-11-18T04:00:00Z',
    lastSyncedAt: '2026-11-18T04:00:00Z',
  });
  const { rows } = await database.current.system.query('SELECT odd FROM ai_model_syncs WHERE id = $1', [second.syncId]);
  expect(rows).toEqual([{ odd: told }]);
  expect(warned).toContain('what the catalogue says of some models cannot be read');
  nowMs += HOUR;
  await sync([...many(9), entry('dear', odd)]);
  expect(await findModel(deps, 'maker/dear')).toMatchObject({ oddSince: '2026-11-18T04:00:00Z' });
  await sync([...many(9), entry('dear')]);
  expect(await findModel(deps, 'maker/dear')).toMatchObject({ oddFields: [], oddSince: null });
});

test('a model that was renamed is found under its old id', async () => {
  const slug = { canonical_slug: 'maker/poet-20260101' };
  await sync([
    ...many(9),
    entry('poet', slug),
    entry('poet:free', { ...slug, pricing: { prompt: '0', completion: '0' } }),
  ]);
  await sync([...many(9), entry('bard', slug)], true);
  expect(await findModel(deps, 'maker/poet')).toMatchObject({ openrouterId: 'maker/bard' });
  expect(await findModel(deps, 'maker/poet-20260101')).toMatchObject({ openrouterId: 'maker/bard' });
  expect(await findModel(deps, 'maker/poet:free')).toMatchObject({ openrouterId: 'maker/poet:free', isActive: false });
});

test('the first live list after the dated snapshot may drop any number of its models, the next one may not', async () => {
  await syncModels(deps, { trigger: SNAPSHOT_TRIGGER });
  expect(await sync(many(2))).toMatchObject({ status: 'applied', counts: { removed: 8 } });
  expect(await sync(many(1))).toMatchObject({ status: 'applied', counts: { removed: 0, missing: 1 } });
});
