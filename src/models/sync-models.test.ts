import pg from 'pg';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { listen, type Tx } from '#database/index.ts';
import { anonymous, Problem, type User } from '#kit/index.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { perform } from '../../tests/support/perform.ts';
import {
  forgetModels,
  listModelChanges,
  modelsChannel,
  openModels,
  readSnapshot,
  scheduleModelSync,
  syncModels,
  triggerSync,
  type ModelsDeps,
} from './index.ts';
import { findModel } from './find-model.ts';

const database = useTestDatabase();
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const start = Date.parse('2026-11-18T03:00:00Z');
let deps: ModelsDeps;
let catalogue: unknown[];
let nowMs: number;

const entry = (slug: string, more: object = {}) => ({
  id: `maker/${slug}`,
  name: `Maker: ${slug}`,
  context_length: 1000,
  architecture: { input_modalities: ['text'], output_modalities: ['text'] },
  pricing: { prompt: '0.000001', completion: '0.000002' },
  supported_parameters: ['max_tokens'],
  ...more,
});
const admin: User = {
  kind: 'user',
  userId: 'root',
  username: 'root',
  email: 'root@example.com',
  isAdmin: true,
  via: 'session',
  scopes: ['admin'],
};
const many = (length: number) => Array.from({ length }, (_, index) => entry(`m${index}`));

beforeEach(() => {
  catalogue = many(10);
  nowMs = start;
  deps = openModels({
    database: database.current,
    fetchCatalogue: async () => catalogue,
    clock: { now: () => nowMs },
    log: silent,
  });
});
afterEach(() =>
  asOwner('TRUNCATE ai_models, ai_model_changes, ai_model_syncs CASCADE; DROP FUNCTION IF EXISTS break_here() CASCADE'),
);

async function asOwner(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  await client.query(sql);
  await client.end();
}

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
  const { rows } = await database.current.system.query(
    `SELECT (SELECT jsonb_agg(m ORDER BY m.id) FROM ai_models m) AS models,
            (SELECT jsonb_agg(c ORDER BY c.id) FROM ai_model_changes c) AS changes`,
  );
  return rows[0];
}

test('a sync keeps a history of additions, removals, prices, capabilities, expiry dates and returns', async () => {
  await sync([...many(10), entry('gone'), entry('dear'), entry('able'), entry('ending')]);
  nowMs += 1000;
  const second = await sync(
    [
      ...many(10),
      entry('dear', { pricing: { prompt: '0.000003', completion: '0.000002' } }),
      entry('able', { supported_parameters: ['max_tokens', 'tools'], context_length: 2000 }),
      entry('ending', { expiration_date: '2026-12-31' }),
      entry('new'),
    ],
    true,
  );
  expect(second).toMatchObject({
    status: 'applied',
    counts: { listed: 14, skipped: 0, added: 1, removed: 1, returned: 0, price: 1, capability: 1, expiry: 1 },
  });
  expect(await changesOf(second.syncId)).toEqual([
    'capability maker/able',
    'price maker/dear',
    'expiry maker/ending',
    'removed maker/gone',
    'added maker/new',
  ]);
  expect(await findModel(deps, 'maker/gone')).toMatchObject({ isActive: false, lastSyncedAt: '2026-11-18T03:00:00Z' });
  expect(await findModel(deps, 'maker/dear')).toMatchObject({
    isActive: true,
    pricing: { prompt: '0.000003', completion: '0.000002' },
    firstSeenAt: '2026-11-18T03:00:00Z',
    lastSyncedAt: '2026-11-18T03:00:01Z',
  });
  const third = await sync([...many(10), entry('gone'), entry('dear'), entry('able'), entry('ending')], true);
  expect(await changesOf(third.syncId)).toEqual([
    'capability maker/able',
    'price maker/dear',
    'expiry maker/ending',
    'returned maker/gone',
    'removed maker/new',
  ]);
  const query = { model: 'maker/dear', kind: 'price' as const, limit: 1 };
  const { items } = await perform(listModelChanges, [{}, anonymous, database.current], query);
  expect(items).toEqual([
    expect.objectContaining({
      openrouterId: 'maker/dear',
      before: { prompt: '0.000003', completion: '0.000002' },
      after: { prompt: '0.000001', completion: '0.000002' },
    }),
  ]);
});

test('syncing the same catalogue again changes nothing, however it is written', async () => {
  const { models } = await readSnapshot();
  await sync(models);
  const rewritten = (models as Record<string, unknown>[]).toReversed().map((model) => ({
    ...model,
    supported_parameters: (model['supported_parameters'] as string[]).toReversed(),
    pricing: { ...(model['pricing'] as object), web_search: undefined },
  }));
  const again = await sync(rewritten);
  expect(again).toMatchObject({ status: 'applied', counts: { listed: models.length, skipped: 0 } });
  expect(await changesOf(again.syncId)).toEqual([]);
});

test('a sync of 500 models sends as many statements as one of 10', async () => {
  const plain = database.current;
  const sent = { query: 0 };
  const get = (tx: Tx, name: keyof Tx): unknown => {
    sent.query += name === 'query' ? 1 : 0;
    return typeof tx[name] === 'function' ? tx[name].bind(tx) : tx[name];
  };
  deps.database = {
    ...plain,
    transaction: (run) =>
      plain.transaction((tx) => run(new Proxy(tx, { get: (of, name) => get(of, name as keyof Tx) }))),
  };
  await sync(many(10));
  const few = sent.query;
  expect(await sync(many(500))).toMatchObject({ status: 'applied', counts: { listed: 500 } });
  expect([few, sent.query - few]).toEqual([few, few]);
  expect(few).toBeLessThan(20);
});

test('a model keeps its id when it is removed and comes back', async () => {
  await sync(many(10));
  const before = await findModel(deps, 'maker/m0');
  await sync(many(10).slice(1));
  await sync(many(10));
  expect((await findModel(deps, 'maker/m0'))?.id).toBe(before?.id);
  expect(await findModel(deps, before?.id ?? '')).toEqual(await findModel(deps, 'maker/m0'));
});

test.each([
  ['noting a change', 'BEFORE INSERT ON ai_model_changes', `NEW.kind = 'removed'`],
  ['adding a model', 'BEFORE INSERT ON ai_models', `NEW.openrouter_id = 'maker/new'`],
  ['changing a model', 'BEFORE UPDATE ON ai_models', `NEW.openrouter_id = 'maker/m9'`],
  ['removing a model', 'BEFORE UPDATE ON ai_models', 'NOT NEW.is_active'],
  ['closing the record', 'BEFORE UPDATE ON ai_model_syncs', `NEW.status = 'applied'`],
])('a sync that fails while %s leaves nothing behind', async (_what, moment, condition) => {
  await sync(many(10));
  const before = await everything();
  await asOwner(`
    CREATE FUNCTION break_here() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN IF ${condition} THEN RAISE 'broken on purpose'; END IF; RETURN NEW; END $$;
    CREATE TRIGGER break_here ${moment} FOR EACH ROW EXECUTE FUNCTION break_here()`);
  await expect(sync([...many(10).slice(1), entry('new')], true)).rejects.toThrow('broken on purpose');
  expect(await everything()).toEqual(before);
  const { rows } = await database.current.system.query('SELECT status FROM ai_model_syncs ORDER BY number');
  expect(rows).toEqual([{ status: 'applied' }, { status: 'failed' }]);
});

test('a failed fetch of the catalogue is recorded by its code, without the words of the upstream', async () => {
  deps.fetchCatalogue = () => Promise.reject(new Problem('upstream_failed', { detail: 'secret words' }));
  await expect(syncModels(deps, { trigger: 'test' })).rejects.toThrow(Problem);
  const { rows } = await database.current.system.query('SELECT status, problem FROM ai_model_syncs');
  expect(rows).toEqual([{ status: 'failed', problem: 'upstream_failed' }]);
});

test('of many syncs at once every change is noted once, and an older list does not undo a newer one', async () => {
  const results = await Promise.all(Array.from({ length: 6 }, () => sync(many(10))));
  expect(results.filter((result) => result.status === 'applied' && result.counts.added > 0)).toHaveLength(1);

  const gate = Promise.withResolvers<unknown[]>();
  const begun = Promise.withResolvers<void>();
  const slow = syncModels(
    {
      ...deps,
      fetchCatalogue: () => {
        begun.resolve();
        return gate.promise;
      },
    },
    { trigger: 'test' },
  );
  await begun.promise;
  await sync([...many(10), entry('newer')]);
  gate.resolve(many(10));
  expect(await slow).toMatchObject({ status: 'superseded' });
  expect(await findModel(deps, 'maker/newer')).toMatchObject({ isActive: true });
});

test('a sync that a killed process left open is closed by the next one', async () => {
  await database.current.system.query(
    `INSERT INTO ai_model_syncs (id, trigger, status, started_at) VALUES (gen_random_uuid(), 'test', 'running', now())`,
  );
  await sync(many(10));
  const { rows } = await database.current.system.query('SELECT status, problem FROM ai_model_syncs ORDER BY number');
  expect(rows[0]).toEqual({ status: 'failed', problem: 'interrupted' });
});

test('other processes are notified of a sync that changed something, and of no other', async () => {
  const elsewhere = openModels({ ...deps, fetchCatalogue: async () => [] });
  expect(await findModel(elsewhere, 'maker/m0')).toBeNull();
  const heard: string[] = [];
  const listening = await listen({
    url: database.url,
    channels: [modelsChannel],
    onReconnect: () => {},
    onNotify: (_channel, payload) => {
      heard.push(payload);
      forgetModels(elsewhere);
    },
  });
  const first = await sync(many(10));
  await sync(many(10));
  const last = await sync([...many(10), entry('new')]);
  await vi.waitFor(() => expect(heard).toEqual([first.syncId, last.syncId]));
  expect(await findModel(elsewhere, 'maker/m0')).toMatchObject({ openrouterId: 'maker/m0' });
  await listening.close();
});

test('the catalogue is read once for any number of searches, and again after a failure', async () => {
  await sync(many(10));
  const queries = vi.spyOn(database.current.system, 'query');
  await Promise.all(Array.from({ length: 50 }, () => findModel(deps, 'maker/m0')));
  expect(queries).toHaveBeenCalledTimes(1);
  forgetModels(deps);
  queries.mockImplementationOnce(() => Promise.reject(new Error('gone')) as never);
  await expect(findModel(deps, 'maker/m0')).rejects.toThrow('gone');
  expect(await findModel(deps, 'maker/m0')).not.toBeNull();
  queries.mockRestore();
});

test('users may read the catalogue but not write it', async () => {
  await sync(many(10));
  const asUser = (sql: string) => database.current.asUser('u1', (tx) => tx.query(sql));
  expect((await asUser('SELECT count(*)::int AS n FROM ai_models')).rows).toEqual([{ n: 10 }]);
  await expect(asUser('UPDATE ai_models SET is_active = false')).rejects.toThrow('permission denied');
  await expect(asUser('DELETE FROM ai_model_changes')).rejects.toThrow('permission denied');
  await expect(asUser('SELECT * FROM ai_model_syncs')).rejects.toThrow('permission denied');
});

test('triggerSync tells the administrator the counts, or a refusal that says what to do', async () => {
  const trigger = (force = false) => perform(triggerSync, [deps, admin, database.current], { force });
  expect(await trigger()).toMatchObject({ status: 'applied', counts: { listed: 10, added: 10 } });
  catalogue = many(2);
  await expect(trigger()).rejects.toMatchObject({
    code: 'unprocessable',
    message: '8 of 10 active models would vanish. Nothing was changed.',
  });
  catalogue = [];
  await expect(trigger(true)).rejects.toMatchObject({ code: 'unprocessable' });
  const { rows } = await database.current.system.query('SELECT status, problem FROM ai_model_syncs ORDER BY number');
  expect(rows).toMatchObject([{ status: 'applied' }, { status: 'refused' }, { status: 'refused' }]);
});

test('the sync of the models is scheduled daily at 03:00 with retries', async () => {
  const schedule = vi.fn<Parameters<typeof scheduleModelSync>[0]['schedule']>();
  scheduleModelSync({ schedule }, deps);
  expect(schedule.mock.calls[0]?.[0]).toMatchObject({ name: 'models.sync', cron: '0 0 3 * * *', retries: 5 });
  await schedule.mock.calls[0]?.[0].run(new Date(start));
  expect(await findModel(deps, 'maker/m0')).toMatchObject({ isActive: true });
});
