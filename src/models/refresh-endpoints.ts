import { isDeepStrictEqual } from 'node:util';
import { judgeEndpoints, type JudgedEndpoints, type ModelEndpoint } from './endpoint.ts';
import { readEndpoints } from './find-endpoints.ts';
import { modelsChannel } from './find-model.ts';
import type { ModelsDeps } from './open-models.ts';

/** While somebody waits for it: a list of this age is new enough. */
const FRESH_MS = 15 * 60_000;
const BATCH = 10;

/** Kept as wanted for a week after a resource last asked; read again every hour, and soon after each sync of the catalogue. */
const NOTE_WANTED = `
  INSERT INTO ai_model_endpoints AS kept (openrouter_id, wanted_at) SELECT unnest($1::text[]), $2::timestamptz
  ON CONFLICT (openrouter_id) DO UPDATE SET wanted_at = excluded.wanted_at
  WHERE kept.wanted_at IS NULL OR kept.wanted_at < excluded.wanted_at - interval '1 hour'`;
const TAKE_DUE = `
  UPDATE ai_model_endpoints kept SET tried_at = $1
  FROM (SELECT openrouter_id FROM ai_model_endpoints
        WHERE wanted_at > $1::timestamptz - interval '7 days'
          AND (tried_at IS NULL OR tried_at < $1::timestamptz - interval '1 hour')
        ORDER BY tried_at NULLS FIRST LIMIT ${BATCH} FOR UPDATE SKIP LOCKED) due
  WHERE kept.openrouter_id = due.openrouter_id
  RETURNING kept.openrouter_id AS "openrouterId"`;
/** Nothing that was good is replaced by nothing. */
const STORE = `
  INSERT INTO ai_model_endpoints AS kept (openrouter_id, endpoints, fetched_at, tried_at, problem)
  VALUES ($1, $2::jsonb, CASE WHEN $2::jsonb IS NOT NULL THEN $4::timestamptz END, $4, $3)
  ON CONFLICT (openrouter_id) DO UPDATE SET endpoints = coalesce(excluded.endpoints, kept.endpoints),
    fetched_at = coalesce(excluded.fetched_at, kept.fetched_at), tried_at = excluded.tried_at, problem = excluded.problem`;

/** In the transaction of a sync: prices have just been read, so those of providers are read soon too. */
export const REFRESH_SOON = 'UPDATE ai_model_endpoints SET tried_at = NULL WHERE wanted_at IS NOT NULL';

/** Before a resource is judged by what its models cost: asks the upstream unless it was asked lately. Never rejects. */
export async function refreshEndpoints(deps: ModelsDeps, openrouterId: string): Promise<void> {
  const { asking } = deps.cache;
  const running = asking.get(openrouterId) ?? ask(deps, openrouterId).finally(() => asking.delete(openrouterId));
  asking.set(openrouterId, running);
  return running;
}

async function ask(deps: ModelsDeps, openrouterId: string): Promise<void> {
  try {
    const triedAt = (await readEndpoints(deps)).get(openrouterId)?.triedAt;
    if (!triedAt || deps.clock.now() - triedAt.getTime() >= FRESH_MS) {
      await fetchOnce(deps, openrouterId);
    }
  } catch (err) {
    deps.log.warn({ err, model: openrouterId }, 'the providers of a model could not be read');
  }
}

/** To be called often by a job: reads those that are due, each by one process. Returns how many were read. */
export async function refreshWanted(deps: ModelsDeps): Promise<number> {
  const { cache, database } = deps;
  const now = new Date(deps.clock.now());
  const wanted = [...cache.wanted];
  cache.wanted.clear();
  if (wanted.length > 0) {
    await database.system.query(NOTE_WANTED, [wanted, now]);
  }
  const { rows } = await database.system.query<{ openrouterId: string }>(TAKE_DUE, [now]);
  for (const { openrouterId } of rows) {
    await fetchOnce(deps, openrouterId);
  }
  return rows.length;
}

async function fetchOnce(deps: ModelsDeps, openrouterId: string): Promise<void> {
  if (!deps.fetchEndpoints) {
    return;
  }
  const last = (await readEndpoints(deps)).get(openrouterId)?.endpoints ?? [];
  const judged = await fetchJudged(deps, openrouterId, last);
  const { endpoints, problem } = judged;
  const values = [openrouterId, endpoints && JSON.stringify(endpoints), problem, new Date(deps.clock.now())];
  await deps.database.system.query(STORE, values);
  deps.cache.endpoints = null;
  if (endpoints !== null && !isDeepStrictEqual(endpoints.map(toTerms), last.map(toTerms))) {
    await deps.database.system.query('SELECT pg_notify($1, $2)', [modelsChannel, openrouterId]);
  }
}

async function fetchJudged(
  { fetchEndpoints, log }: ModelsDeps,
  openrouterId: string,
  last: readonly ModelEndpoint[],
): Promise<JudgedEndpoints> {
  try {
    const raw = await fetchEndpoints?.(openrouterId);
    const judged = judgeEndpoints(raw ?? [], last);
    if (judged.problem !== null) {
      log.warn({ model: openrouterId, problem: judged.problem }, 'the providers of a model are not believed as listed');
    }
    return judged;
  } catch (err) {
    log.warn({ err, model: openrouterId }, 'the providers of a model could not be read');
    return { endpoints: null, problem: 'The upstream could not be asked.' };
  }
}

/** What calls and their costs depend on; how well a provider does just now is not among it. */
function toTerms({
  tag,
  pricing,
  quantization,
  contextLength,
  maxCompletionTokens,
  supportedParameters,
}: ModelEndpoint) {
  return { tag, pricing, quantization, contextLength, maxCompletionTokens, supportedParameters };
}
