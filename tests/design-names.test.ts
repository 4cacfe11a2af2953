import { beforeAll, describe, expect, test } from 'vitest';
import { payFor, send } from './support/paid-request.ts';
import { useApp, type Creator } from './support/start-app.ts';

const app = useApp({ ADMIN_EMAILS: 'carol@example.com' });
let ada: Creator;
let bob: Creator;
let id: string;
let url: string;

beforeAll(async () => {
  ada = await app.current.makeCreator('ada');
  bob = await app.current.makeCreator('bob');
  ({ id, url } = await ada.publish({ slug: 'essay' }));
  await ada.call('POST', '/api/resources', { kind: 'openrouter_instant', slug: 'sketch' });
  await bob.publish({ slug: 'other' });
  const buyer = await app.current.makeBuyer();
  for (const topic of ['rivers', 'rain']) {
    await send(url, { payment: await payFor(buyer, url), body: { topic } });
  }
});

type Row = Record<string, unknown>;

async function userIdOf({ username }: Creator): Promise<string> {
  const { rows } = await app.current.database.system.query<{ id: string }>('SELECT id FROM users WHERE username = $1', [
    username,
  ]);
  return rows[0]?.id ?? '';
}

/** SQL as it was written for the original design, read by a signed-in creator. */
async function read(creator: Creator, sql: string): Promise<Row[]> {
  return app.current.database.asUser(await userIdOf(creator), async (tx) => {
    await tx.query('SET LOCAL search_path = design, public');
    return (await tx.query<Row>(sql)).rows;
  });
}

describe('the names of the original design in SQL', () => {
  test('x402_resources tells type, configuration and model of a resource', async () => {
    const [found] = await read(
      ada,
      `SELECT r.resource_type, r.openrouter_config, r.user_id, m.openrouter_id FROM x402_resources r
       JOIN ai_models m ON m.id = r.ai_model_id WHERE r.slug = 'essay'`,
    );
    expect(found).toMatchObject({
      resource_type: 'openrouter_instant',
      openrouter_config: { modelId: 'openai/gpt-4o-mini', maxTokens: 120 },
      openrouter_id: 'openai/gpt-4o-mini',
      user_id: await userIdOf(ada),
    });
  });

  test('x402_resources carries the statistics that the API tells, before and after the rollup has taken them', async () => {
    const sql = `SELECT call_count::int, success_count_30d::int, failure_count_30d::int,
      trim_scale(total_earned_usdc)::text AS total_earned_usdc, last_called_at FROM x402_resources WHERE slug = 'essay'`;
    const { body } = await ada.call('GET', `/api/resources/${id}`);
    const [found = {}] = await read(ada, sql);
    expect({ ...found, last_called_at: (found['last_called_at'] as Date).toISOString() }).toEqual(body['stats']);
    expect(found).toMatchObject({ call_count: 2, total_earned_usdc: '0.02' });
    await app.current.database.system.query(
      `WITH taken AS (DELETE FROM usage_pending RETURNING *)
       INSERT INTO usage_rollups SELECT resource_id, day, sum(success_count), sum(failure_count), sum(unpaid_count),
         sum(earned_atomic), max(called_at) FROM taken GROUP BY resource_id, day`,
    );
    expect(await read(ada, sql)).toEqual([found]);
    const [unused] = await read(ada, `SELECT call_count::int, is_active FROM x402_resources WHERE slug = 'sketch'`);
    expect(unused).toEqual({ call_count: 0, is_active: false });
  });

  test('x402_prompt_template_usage_logs tells whose call it was, and how long it took', async () => {
    const rows = await read(
      ada,
      'SELECT user_id, status, execution_time_ms, input_tokens, amount_paid::float FROM x402_prompt_template_usage_logs',
    );
    const one = {
      user_id: await userIdOf(ada),
      status: 'success',
      execution_time_ms: expect.stringMatching(/^\d+$/),
      input_tokens: expect.stringMatching(/^\d+$/),
      amount_paid: 0.01,
    };
    expect(rows).toEqual([one, one]);
  });

  test('user_openrouter_integrations names its user, and never the key', async () => {
    const rows = await read(ada, 'SELECT * FROM user_openrouter_integrations');
    expect(rows).toMatchObject([{ user_id: await userIdOf(ada), is_enabled: true, is_valid: true }]);
    expect(Object.keys(rows[0] ?? {})).toEqual(expect.arrayContaining(['credits_usd', 'last_credit_check']));
    expect(Object.keys(rows[0] ?? {}).filter((name) => /sealed|key/.test(name))).toEqual([]);
  });

  test.each([
    'x402_resources',
    'x402_prompt_template_usage_logs',
    'user_openrouter_integrations',
    'x402_cached_images',
    'usage_rollups',
    'usage_pending',
  ])('%s shows a creator nothing of another', async (view) => {
    const owner = view.startsWith('usage') ? 'resource_id::text' : 'user_id';
    const own = view.startsWith('usage')
      ? (await read(ada, 'SELECT id::text AS one FROM x402_resources')).map(({ one }) => one)
      : [await userIdOf(ada)];
    const seen = await read(ada, `SELECT ${owner} AS one FROM ${view}`);
    expect(seen.filter(({ one }) => !own.includes(one))).toEqual([]);
    const all = await app.current.database.system.query(`SELECT 1 FROM design.x402_resources`);
    expect(all.rowCount).toBeGreaterThan(3);
  });

  test('nobody writes through them', async () => {
    await expect(read(ada, `UPDATE x402_resources SET slug = 'x'`)).rejects.toThrow(/permission denied|cannot update/);
    await expect(read(ada, 'DELETE FROM user_openrouter_integrations')).rejects.toThrow('permission denied');
  });
});

describe('the names of the original design over HTTP', () => {
  test('a key is saved with POST as with PUT, by the same rules and with the same audit entry', async () => {
    const path = '/api/user/integrations/openrouter';
    const apiKey = app.current.sandbox?.openRouter?.keys.healthy;
    const [put, post] = [await ada.call('PUT', path, { apiKey }), await ada.call('POST', path, { apiKey })];
    expect([put.status, post.status]).toEqual([200, 200]);
    expect(Object.keys(post.body)).toEqual(Object.keys(put.body));
    expect((await ada.call('POST', path, { apiKey: 'has blanks' })).body).toMatchObject({ code: 'invalid_input' });
    expect((await ada.call('POST', `${path}/test`, {})).body).toMatchObject({ ok: true });
    const { rows } = await app.current.database.system.query(
      `SELECT DISTINCT operation FROM audit_log WHERE operation LIKE 'integrations.openrouter.p%'`,
    );
    expect(rows).toEqual([{ operation: 'integrations.openrouter.put' }]);
  });

  test('POST /api/execute reads `body` as `input`, and refuses both at once', async () => {
    const execute = `${app.current.url}/api/execute`;
    const own = await bob.publish({ slug: 'by-id' });
    const buyer = await app.current.makeBuyer();
    const body = { resourceId: own.id, body: { topic: 'rivers' } };
    const paid = await send(execute, { payment: await payFor(buyer, own.url), body });
    expect([paid.status, paid.body['receipt']]).toMatchObject([200, { paidUsdc: '0.01' }]);
    const both = await send(execute, { body: { ...body, input: {} } });
    expect(both.body).toMatchObject({ code: 'invalid_input', errors: [{ path: expect.stringMatching(/body|input/) }] });
    const other = await send(execute, { body: { resourceId: own.id, data: {} } });
    expect(other.body).toMatchObject({ code: 'invalid_input', errors: [{ path: '/data' }] });
  });

  test('the event openrouter/models.sync brings the catalogue up to date, for administrators and by its name only', async () => {
    const carol = await app.current.makeCreator('carol', { openRouterKey: null });
    const event = { name: 'openrouter/models.sync' };
    const synced = await carol.call('POST', '/api/admin/events', event);
    expect([synced.status, synced.body]).toMatchObject([200, { status: 'applied' }]);
    const { rows } = await app.current.database.system.query('SELECT trigger FROM ai_model_syncs WHERE id = $1', [
      synced.body['syncId'],
    ]);
    expect(rows).toEqual([{ trigger: 'event' }]);
    expect((await carol.call('POST', '/api/admin/events', { ...event, data: { force: true } })).status).toBe(200);
    expect((await carol.call('POST', '/api/admin/events', { name: 'x402/models.sync' })).body).toMatchObject({
      code: 'invalid_input',
    });
    expect((await ada.call('POST', '/api/admin/events', event)).body).toMatchObject({ code: 'forbidden' });
  });
});
