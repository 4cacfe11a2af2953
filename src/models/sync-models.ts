import type { Tx } from '#database/index.ts';
import { newId, Problem } from '#kit/index.ts';
import { applyCatalogue, type ChangeKind } from './apply-catalogue.ts';
import { forgetModels, modelsChannel } from './find-model.ts';
import type { ModelsDeps } from './open-models.ts';
import { parseCatalogue, type ParsedCatalogue } from './parse-catalogue.ts';

export interface SyncOptions {
  /** Who asked: `schedule`, `admin`, `cli`, `start`; or `snapshot`. */
  trigger: string;
  /** Apply even when a large share of the models vanishes (another upstream, say). An empty list is never applied. */
  force?: boolean;
}

export type SyncCounts = Record<ChangeKind, number> & { listed: number; skipped: number };

export type SyncResult =
  | { status: 'applied'; syncId: string; counts: SyncCounts }
  /** The list was refused and nothing was changed. */
  | { status: 'refused'; syncId: string; reason: 'empty' | 'too_many_vanish'; active: number; vanished: number }
  /** A sync that began later was applied first; this list is older. */
  | { status: 'superseded'; syncId: string };

/** Of the sync that stores the snapshot. It is dated, so the first live list after it may drop any number of its models. */
export const SNAPSHOT_TRIGGER = 'snapshot';

const LOCK_KEY = 402_404;
const MAX_VANISHING_SHARE = 0.3;
const MAX_LOGGED = 20;

/** A catalogue that was fetched and waits to be applied. */
export interface FetchedCatalogue {
  syncId: string;
  parsed: ParsedCatalogue;
}

/**
 * Fetches the catalogue, then applies it in one transaction, or not at all. Every attempt is recorded in ai_model_syncs.
 * Throws when the catalogue cannot be fetched or stored.
 */
export async function syncModels(deps: ModelsDeps, options: SyncOptions): Promise<SyncResult> {
  const fetched = await fetchModels(deps, options.trigger);
  try {
    const result = await deps.database.transaction((tx) => applyModels({ ...deps, tx }, fetched, options));
    forgetModels(deps);
    return result;
  } catch (error) {
    await recordFailure(deps, fetched.syncId, error);
    throw error;
  }
}

/** The first half, outside of any transaction: records the attempt and asks the upstream. */
export async function fetchModels(deps: Omit<ModelsDeps, 'cache'>, trigger: string): Promise<FetchedCatalogue> {
  const syncId = newId();
  await deps.database.system.query(
    `INSERT INTO ai_model_syncs (id, trigger, status, started_at) VALUES ($1, $2, 'running', $3)`,
    [syncId, trigger, now(deps)],
  );
  try {
    return { syncId, parsed: parseCatalogue(await deps.fetchCatalogue()) };
  } catch (error) {
    await recordFailure(deps, syncId, error);
    throw error;
  }
}

async function recordFailure(deps: Pick<ModelsDeps, 'database' | 'clock'>, syncId: string, error: unknown) {
  await finish(deps.database.system, { syncId, status: 'failed', problem: toReason(error), at: now(deps) });
}

type ApplyDeps = Pick<ModelsDeps, 'clock' | 'log'> & { tx: Tx };

/** The second half, in a transaction with the rights of the system; `forgetModels` after its commit. */
export async function applyModels(
  deps: ApplyDeps,
  fetched: FetchedCatalogue,
  options: Pick<SyncOptions, 'force'>,
): Promise<SyncResult> {
  const result = await decide(deps, fetched, options.force === true);
  report(deps, fetched.parsed, result);
  return result;
}

async function decide(deps: ApplyDeps, { syncId, parsed }: FetchedCatalogue, isForced: boolean): Promise<SyncResult> {
  const { tx } = deps;
  const at = now(deps);
  await tx.query('SELECT pg_advisory_xact_lock($1)', [LOCK_KEY]);
  if (await isSuperseded(tx, syncId)) {
    await finish(tx, { syncId, status: 'superseded', at });
    return { status: 'superseded', syncId };
  }
  await closeInterrupted(tx, syncId, at);
  const doubt = await findDoubt(tx, parsed, isForced);
  if (doubt) {
    const problem = `${doubt.reason}: ${doubt.vanished} of ${doubt.active} active models would vanish`;
    await finish(tx, { syncId, status: 'refused', problem, at });
    return { status: 'refused', syncId, ...doubt };
  }
  const changes = await applyCatalogue(tx, parsed.models, { syncId, at });
  const counts = { listed: parsed.models.length, skipped: parsed.skipped.length, ...changes };
  await finish(tx, { syncId, status: 'applied', counts, at });
  if (Object.values(changes).some((count) => count > 0)) {
    await tx.query('SELECT pg_notify($1, $2)', [modelsChannel, syncId]);
  }
  return { status: 'applied', syncId, counts };
}

async function isSuperseded(tx: Tx, syncId: string): Promise<boolean> {
  const { rowCount } = await tx.query(
    `SELECT FROM ai_model_syncs later JOIN ai_model_syncs mine ON later.number > mine.number
     WHERE mine.id = $1 AND later.status = 'applied' LIMIT 1`,
    [syncId],
  );
  return rowCount === 1;
}

/** Attempts that a killed process left behind. One that is in fact still fetching will note its own end later. */
async function closeInterrupted(tx: Tx, syncId: string, at: Date): Promise<void> {
  await tx.query(
    `UPDATE ai_model_syncs SET status = 'failed', problem = 'interrupted', finished_at = $2
     WHERE status = 'running' AND number < (SELECT number FROM ai_model_syncs WHERE id = $1)`,
    [syncId, at],
  );
}

type Doubt = { reason: 'empty' | 'too_many_vanish'; active: number; vanished: number };

async function findDoubt(tx: Tx, { models }: ParsedCatalogue, force: boolean): Promise<Doubt | null> {
  const { rows } = await tx.query<{ active: number; vanished: number; last: string | null }>(
    `SELECT count(*)::int AS active, count(*) FILTER (WHERE openrouter_id <> ALL ($1))::int AS vanished,
            (SELECT trigger FROM ai_model_syncs WHERE status = 'applied' ORDER BY number DESC LIMIT 1) AS last
     FROM ai_models WHERE is_active`,
    [models.map((model) => model.openrouterId)],
  );
  const { active, vanished, last } = rows[0] ?? { active: 0, vanished: 0, last: null };
  if (models.length === 0) {
    return { reason: 'empty', active, vanished };
  }
  const isTrusting = force || last === SNAPSHOT_TRIGGER;
  return vanished > active * MAX_VANISHING_SHARE && !isTrusting
    ? { reason: 'too_many_vanish', active, vanished }
    : null;
}

interface Ending {
  syncId: string;
  status: SyncResult['status'] | 'failed';
  at: Date;
  counts?: SyncCounts;
  problem?: string;
}

async function finish(connection: Pick<Tx, 'query'>, { syncId, status, at, counts, problem }: Ending): Promise<void> {
  await connection.query(
    'UPDATE ai_model_syncs SET status = $2, counts = $3, problem = $4, finished_at = $5 WHERE id = $1',
    [syncId, status, counts ? JSON.stringify(counts) : null, problem ?? null, at],
  );
}

function report({ log }: Pick<ModelsDeps, 'log'>, parsed: ParsedCatalogue, result: SyncResult): void {
  if (parsed.skipped.length > 0) {
    log.warn(
      { skipped: parsed.skipped.length, first: parsed.skipped.slice(0, MAX_LOGGED) },
      'catalogue entries skipped',
    );
  }
  const level = result.status === 'refused' ? 'warn' : 'info';
  log[level]({ sync: result }, `catalogue sync ${result.status}`);
}

/** Never the upstream's own words: they may hold anything. */
function toReason(error: unknown): string {
  return error instanceof Problem ? error.code : error instanceof Error ? error.name : 'unknown';
}

function now(deps: Pick<ModelsDeps, 'clock'>): Date {
  return new Date(deps.clock.now());
}
