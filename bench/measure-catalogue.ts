import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import pg from 'pg';
import { migrate, openDatabase, type Database } from '#database/index.ts';
import { systemClock } from '#kit/index.ts';
import { openModels, readSnapshot, syncModels } from '#models/index.ts';
import { parseCatalogue, type ListedModel } from '../src/models/parse-catalogue.ts';
import { openEmptyDatabase } from './open-empty-database.ts';

const MODELS = 500;
const CHANGED_PRICES = 50;
/** Times fewer statements. */
const AIM = 20;
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

interface Cost {
  statements: number;
  ms: number;
}

/** What a sync of the models asks of PostgreSQL, against one that looks up and writes a row at a time. */
export async function measureCatalogue(): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const { url } = await openEmptyDatabase(stack);
  await migrate(url, join(import.meta.dirname, '..', 'migrations'));
  const database = openDatabase({ url, onError: () => {} });
  stack.defer(() => database.close());
  const naive = new pg.Client({ connectionString: url });
  await naive.connect();
  stack.defer(() => naive.end());
  await naive.query(naiveTables);

  const list = await makeList();
  console.log(`\nA sync of ${MODELS} models, in statements sent to PostgreSQL (transaction commands included)`);
  const sides = { ours: await openOurs(database), theirs: openTheirs(naive) };
  await compareSync('the first', sides, list);
  await compareSync(`${CHANGED_PRICES} changed prices`, sides, changePrices(list));
  await compareSync('nothing changed', sides, changePrices(list));
  await assertSame(naive);
}

type Sync = (list: readonly Entry[]) => Promise<Cost>;
type Entry = Record<string, unknown> & { id: string; pricing: Record<string, string> };

/** The models of the snapshot, as often as it takes under other names. */
async function makeList(): Promise<Entry[]> {
  const models = (await readSnapshot()).models as Entry[];
  return Array.from({ length: MODELS }, (_, index) => {
    const model = models[index % models.length] as Entry;
    const round = Math.floor(index / models.length);
    return round === 0 ? model : { ...model, id: `${model.id.replace(/:.*/, '')}-${round}-${index}` };
  });
}

function changePrices(list: readonly Entry[]): Entry[] {
  const every = MODELS / CHANGED_PRICES;
  return list.map((model, index) =>
    index % every === 0 ? { ...model, pricing: { ...model.pricing, completion: '0.000123' } } : model,
  );
}

/** The real one; everything counts that its pool sends. */
async function openOurs(database: Database): Promise<Sync> {
  const counted = countStatements(database.system);
  let list: readonly Entry[] = [];
  const fetchCatalogue = async (): Promise<unknown[]> => [...list];
  const deps = openModels({ database, fetchCatalogue, clock: systemClock, log: quiet });
  return async (next) => {
    list = next;
    return measure(counted, () => syncModels(deps, { trigger: 'bench', force: true }));
  };
}

function countStatements(pool: pg.Pool): { count: number } {
  const counted = { count: 0 };
  pool.on('connect', (client) => {
    const query = client.query.bind(client) as (...given: unknown[]) => unknown;
    client.query = ((...given: unknown[]) => {
      counted.count += 1;
      return query(...given);
    }) as typeof client.query;
  });
  return counted;
}

async function measure(counted: { count: number }, run: () => Promise<unknown>): Promise<Cost> {
  counted.count = 0;
  const startedAt = performance.now();
  await run();
  return { statements: counted.count, ms: performance.now() - startedAt };
}

const naiveTables = `
  CREATE TABLE naive_models (LIKE ai_models INCLUDING ALL);
  CREATE TABLE naive_changes (openrouter_id text, kind text, before jsonb, after jsonb, at timestamptz)`;

/** In one transaction too, so that it does not wait for the disk per row: only the statements differ. */
function openTheirs(client: pg.Client): Sync {
  return async (list) => {
    const counted = { count: 0 };
    const query = (text: string, values: unknown[] = []) => {
      counted.count += 1;
      return client.query(text, values);
    };
    return measure(counted, async () => {
      await query('BEGIN');
      for (const model of parseCatalogue(list, new Map()).models) {
        await writeOne(query, model);
      }
      await query('COMMIT');
    });
  };
}

type Query = (text: string, values?: unknown[]) => Promise<pg.QueryResult>;

async function writeOne(query: Query, model: ListedModel): Promise<void> {
  const { rows } = await query('SELECT id, pricing FROM naive_models WHERE openrouter_id = $1', [model.openrouterId]);
  const known = rows[0] as { id: string; pricing: unknown } | undefined;
  const pricing = JSON.stringify(model.pricing);
  if (!known) {
    await query(
      `INSERT INTO naive_models (id, openrouter_id, canonical_slug, display_name, description, provider, input_modalities,
         output_modalities, context_length, max_completion_tokens, supported_parameters, pricing, is_free, is_router,
         expiration_date, published_at, odd_fields, extra, first_seen_at, last_synced_at)
       VALUES (gen_random_uuid(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, now(), now())`,
      toValues(model),
    );
    await note(query, [model.openrouterId, 'added', null, pricing]);
    return;
  }
  await query(
    `UPDATE naive_models SET canonical_slug = $2, display_name = $3, description = $4, provider = $5, input_modalities = $6,
       output_modalities = $7, context_length = $8, max_completion_tokens = $9, supported_parameters = $10, pricing = $11,
       is_free = $12, is_router = $13, expiration_date = $14, published_at = $15, odd_fields = $16, extra = $17,
       last_synced_at = now() WHERE openrouter_id = $1`,
    toValues(model),
  );
  if (!isDeepStrictEqual(known.pricing, JSON.parse(pricing))) {
    await note(query, [model.openrouterId, 'price', JSON.stringify(known.pricing), pricing]);
  }
}

async function note(query: Query, values: unknown[]): Promise<void> {
  await query('INSERT INTO naive_changes VALUES ($1, $2, $3, $4, now())', values);
}

function toValues(model: ListedModel): unknown[] {
  return [
    model.openrouterId,
    model.canonicalSlug,
    model.displayName,
    model.description,
    model.provider,
    model.inputModalities,
    model.outputModalities,
    model.contextLength,
    model.maxCompletionTokens,
    model.supportedParameters,
    JSON.stringify(model.pricing),
    model.isFree,
    model.isRouter,
    model.expirationDate,
    model.publishedAt,
    JSON.stringify(model.oddFields),
    JSON.stringify(model.extra),
  ];
}

async function compareSync(what: string, sides: { ours: Sync; theirs: Sync }, list: readonly Entry[]): Promise<void> {
  const ours = await sides.ours(list);
  const theirs = await sides.theirs(list);
  const ratio = theirs.statements / ours.statements;
  const tell = ({ statements, ms }: Cost) => `${statements} (${ms.toFixed(0)} ms)`;
  console.log(
    `  ${what.padEnd(20)} Farebox ${tell(ours)}, a row at a time ${tell(theirs)}: ${ratio.toFixed(0)} times fewer   aim ${AIM}: ${ratio >= AIM ? 'reached' : 'MISSED'}`,
  );
}

/** Both have come to the same prices and have noted the same changes of them. */
async function assertSame(client: pg.Client): Promise<void> {
  const { rows } = await client.query(
    `SELECT (SELECT count(*)::int FROM ai_models a FULL JOIN naive_models n USING (openrouter_id)
             WHERE a.pricing IS DISTINCT FROM n.pricing) AS "otherPrices",
       (SELECT count(*)::int FROM ai_models) AS models,
       (SELECT count(*)::int FROM ai_model_changes WHERE kind = 'price') AS ours,
       (SELECT count(*)::int FROM naive_changes WHERE kind = 'price') AS theirs`,
  );
  const found = JSON.stringify(rows[0]);
  const wanted = { otherPrices: 0, models: MODELS, ours: CHANGED_PRICES, theirs: CHANGED_PRICES };
  if (found !== JSON.stringify(wanted)) {
    throw new Error(`The two syncs do not come to the same: ${found}`);
  }
}
