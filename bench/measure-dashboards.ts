import { cp } from 'node:fs/promises';
import { basename, join } from 'node:path';
import pg from 'pg';
import { migrate, openDatabase, type Database } from '#database/index.ts';
import { scopes, type User } from '#kit/index.ts';
import { getBreakdown, getSeries, getSummary } from '#usage/index.ts';
import { closeHours } from '../src/usage/close-hours.ts';
import { perform } from '../tests/support/perform.ts';
import { sumTables } from '../tests/support/sum-tables.ts';
import { openEmptyDatabase } from './open-empty-database.ts';

/** Calls of one creator over 90 days: 20 resources, 2 versions, 2 models, 5,000 payers. */
export const DASHBOARD_CALLS = 10_000_000;
const AIM_MS = 300;
/** Enough that p95 is not the slowest of all. */
const ROUNDS = 60;
const TO = '2026-11-01T00:00:00.000Z';

const creator: User = {
  kind: 'user',
  userId: 'bench',
  username: 'bench',
  email: 'bench@example.com',
  isAdmin: false,
  via: 'session',
  scopes,
};

/** One of so many, of a call `n`. Each seed draws by itself: what a call is in one respect says nothing of another. */
const draw = (seed: number, many: number): string => `((hashint8extended(n, ${seed}) & ${2n ** 63n - 1n}) % ${many})`;
const between = (seed: number): string => `${draw(seed, 1e6)} / 1e6::float8`;

const toInsertSql = (calls: number): string => `
  INSERT INTO x402_prompt_template_usage_logs (call_id, resource_id, version_id, version, owner_id, payer, request_id,
    status, problem, model, input_tokens, output_tokens, cost_usd, latency_ms, first_output_ms, amount_atomic, network,
    transaction, is_test, is_simulated, is_free, at, attempts, evidence, key_source)
  SELECT gen_random_uuid(), ('00000000-0000-4000-8000-0000000000' || to_char(${draw(1, 20)}, 'FM00'))::uuid,
    gen_random_uuid(), 1 + ${draw(2, 2)}, 'bench', '0x' || lpad(to_hex(${draw(3, 5000)}), 40, '0'), 'r',
    CASE WHEN is_failed THEN 'failed' ELSE 'success' END, CASE WHEN is_failed THEN 'upstream_failed' END,
    CASE WHEN ${draw(4, 3)} = 0 THEN 'openai/gpt-4o-mini' ELSE 'anthropic/claude-haiku-4.5' END, 100 + ${draw(5, 900)},
    50 + ${draw(6, 400)}, 0.0001 * (1 + ${draw(7, 50)}), (200 * exp(4 * ${between(8)}))::bigint,
    (50 * exp(3 * ${between(9)}))::bigint, 10000, 'eip155:84532', CASE WHEN NOT is_failed THEN '0x01' END, false, true,
    false, timestamptz '${TO}' - (n::float8 / ${calls}) * interval '90 days' - interval '1 second', 1, '{}', 'own'
  FROM generate_series($1::bigint, $2::bigint) AS n CROSS JOIN LATERAL (SELECT ${draw(10, 25)} = 0 AS is_failed) AS ended`;

/** It may have taken the wallet out of its cells: the log is asked. */
const correctSql = `
  UPDATE x402_prompt_template_usage_logs SET transaction = NULL WHERE call_id = (
    SELECT call_id FROM x402_prompt_template_usage_logs WHERE transaction IS NOT NULL
      AND at >= timestamptz '${TO}' - interval '30 days' ORDER BY at LIMIT 1)`;

const tables = ['x402_prompt_template_usage_logs', ...sumTables];

const migrations = join(import.meta.dirname, '..', 'migrations');
/** Adds up the whole log anew. */
const FILLED_BY = '0085';

/** How long the questions of a dashboard take with so many calls in the log; and how long it takes to add up such a log. */
export async function measureDashboards(calls: number): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const { url, folder } = await openEmptyDatabase(stack);
  console.log(`\nDashboards of a creator with ${calls / 1e6} million calls`);
  const older = join(folder, 'migrations');
  await cp(migrations, older, { recursive: true, filter: (path) => basename(path) < FILLED_BY || path === migrations });
  await migrate(url, older);
  const owner = new pg.Client({ connectionString: url });
  await owner.connect();
  stack.defer(() => owner.end());
  await fill(owner, calls);
  await tell('migrated', () => migrate(url, migrations));
  const database = openDatabase({ url, onError: () => {} });
  stack.defer(() => database.close());
  await tell('added up', () => closeHours(database));
  // As the server does by itself after a while.
  await owner.query('VACUUM ANALYZE');
  await showSizes(owner);
  await measure(database);
  await owner.query(correctSql);
  console.log('  With a correction that waits, of the oldest call of this month:');
  await measure(database, /^(summary|by day|by hour|resources|versions|models)\b.* (30|31|90) days$/);
}

async function tell(what: string, run: () => Promise<unknown>): Promise<void> {
  const startedAt = performance.now();
  await run();
  console.log(`  ${what} in ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
}

/** Without the trigger: the log of an older version. */
async function fill(owner: pg.Client, calls: number): Promise<void> {
  await owner.query('SET session_replication_role = replica');
  const step = 500_000;
  const insert = toInsertSql(calls);
  for (let from = 1; from <= calls; from += step) {
    const last = Math.min(from + step - 1, calls);
    await tell(`${last} calls logged, the last`, () => owner.query(insert, [from, last]));
  }
  await owner.query('RESET session_replication_role');
  await owner.query('VACUUM ANALYZE x402_prompt_template_usage_logs');
}

async function showSizes(owner: pg.Client): Promise<void> {
  const { rows } = await owner.query<{ name: string; rows: number; mb: number }>(
    `SELECT relname AS name, greatest(reltuples, 0)::int AS rows, (pg_total_relation_size(oid) / 1e6)::int AS mb FROM pg_class
     WHERE relkind = 'r' AND relname = ANY ($1) ORDER BY relname`,
    [[...tables]],
  );
  for (const { name, rows: count, mb } of rows) {
    console.log(`  ${name.padEnd(34)} ${count} rows, ${mb} MB`);
  }
}

async function measure(database: Database, which = /^/): Promise<void> {
  const deps = { clock: { now: () => Date.parse(TO) } };
  const place: [typeof deps, User, Database] = [deps, creator, database];
  const from = (days: number): string => new Date(Date.parse(TO) - days * 86_400_000).toISOString();
  const resourceId = '00000000-0000-4000-8000-000000000003';
  const model = 'openai/gpt-4o-mini';
  const payer = `0x${(3757).toString(16).padStart(40, '0')}`;
  const timeZone = 'Europe/Vienna';
  const summary = (days: number, filters: object = {}) =>
    perform(getSummary, place, { from: from(days), to: TO, ...filters });
  const series = (days: number, interval: 'hour' | 'day', filters: object = {}) =>
    perform(getSeries, place, { from: from(days), to: TO, interval, ...filters });
  const breakdown = (days: number, by: 'resource' | 'version' | 'model' | 'payer', filters: object = {}) =>
    perform(getBreakdown, place, { from: from(days), to: TO, by, ...filters });
  const questions: [string, () => Promise<unknown>][] = [
    ['summary, 30 days', () => summary(30)],
    ['summary, 90 days', () => summary(90)],
    ['summary of a resource', () => summary(30, { resourceId })],
    ['summary of a model', () => summary(30, { model })],
    ['summary of a payer', () => summary(30, { payer })],
    ['by day, 90 days', () => series(90, 'day')],
    ['by day of a zone, 90 days', () => series(90, 'day', { timeZone })],
    ['by day of a version, 90 days', () => series(90, 'day', { resourceId, version: 2, timeZone })],
    ['by day of a payer, 90 days', () => series(90, 'day', { payer })],
    ['by hour, 7 days', () => series(7, 'hour')],
    ['by hour, 31 days', () => series(31, 'hour')],
    ['by hour of a version, 31 days', () => series(31, 'hour', { resourceId, version: 2 })],
    ['by hour of a model, 31 days', () => series(31, 'hour', { model })],
    ['resources, 30 days', () => breakdown(30, 'resource')],
    ['versions, 30 days', () => breakdown(30, 'version')],
    ['models, 30 days', () => breakdown(30, 'model')],
    ['payers, 30 days', () => breakdown(30, 'payer')],
    ['payers of a version, 30 days', () => breakdown(30, 'payer', { resourceId, version: 2 })],
    ['versions of a payer, 30 days', () => breakdown(30, 'version', { payer })],
    ['resources, 45 days', () => breakdown(45, 'resource')],
    ['payers, 45 days', () => breakdown(45, 'payer')],
  ];
  for (const [name, ask] of questions.filter(([one]) => which.test(one))) {
    await ask();
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const startedAt = performance.now();
      await ask();
      times.push(performance.now() - startedAt);
    }
    times.sort((a, b) => a - b);
    const [p50 = 0, p95 = 0] = [times[Math.floor(ROUNDS / 2)], times[Math.ceil(ROUNDS * 0.95) - 1]];
    const verdict = p95 <= AIM_MS ? 'reached' : 'MISSED';
    console.log(
      `  ${name.padEnd(32)} p50 ${p50.toFixed(0)} ms, p95 ${p95.toFixed(0)} ms   aim ${AIM_MS} ms: ${verdict}`,
    );
  }
}
