import type { Tx } from '#database/index.ts';
import { newId, Problem } from '#kit/index.ts';
import { applyCatalogue, type ChangeKind } from './apply-catalogue.ts';
import { forgetModels, modelsChannel } from './find-model.ts';
import { explainDoubt, judgeList, type Doubt } from './judge-list.ts';
import { indexModels } from './model-index.ts';
import { modelColumns, type Model, type OddField } from './model.ts';
import { listChanged } from './list-changed.ts';
import type { ModelsDeps } from './open-models.ts';
import { parseCatalogue, type SkippedEntry } from './parse-catalogue.ts';
import { REFRESH_SOON } from './refresh-endpoints.ts';

export interface SyncOptions {
  /** Who asked: `schedule`, `admin`, `cli`, `start`; or `snapshot`. */
  trigger: string;
  /** Believe the list as it is (another upstream, say): what it lacks is gone at once. An empty list is never applied. */
  force?: boolean;
}

export type SyncCounts = Record<ChangeKind, number> & { listed: number; skipped: number; odd: number; missing: number };

/** A model of which something could not be read; without a row of an earlier list it was left out. */
export interface OddModel {
  openrouterId: string | null;
  fields: OddField[];
  isKept: boolean;
}

export type SyncResult =
  | {
      status: 'applied';
      syncId: string;
      counts: SyncCounts;
      odd: OddModel[];
      missing: string[];
      /** That are sold and whose first model is missing, gone or odd: their creators are warned. */
      affectedResources: number;
    }
  /** The list was refused and nothing was changed. */
  | ({ status: 'refused'; syncId: string } & Doubt)
  /** A sync that began later was applied first; this list is older. */
  | { status: 'superseded'; syncId: string };

/** Of the sync that stores the snapshot. It is dated, so the first live list after it may drop any number of its models. */
export const SNAPSHOT_TRIGGER = 'snapshot';

const LOCK_KEY = 402_404;
const MAX_LOGGED = 20;
const MAX_RECORDED = 200;

/** A catalogue that was fetched and waits to be applied. */
export interface FetchedCatalogue {
  syncId: string;
  /** Raw objects of `GET /models`: what they mean depends on what is known already. */
  raw: readonly unknown[];
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
    return { syncId, raw: await deps.fetchCatalogue() };
  } catch (error) {
    await recordFailure(deps, syncId, error);
    throw error;
  }
}

async function recordFailure(deps: Pick<ModelsDeps, 'database' | 'clock'>, syncId: string, error: unknown) {
  await finish(deps.database.system, { syncId, status: 'failed', problem: toReason(error), at: now(deps) });
}

type ApplyDeps = Pick<ModelsDeps, 'clock' | 'log' | 'follow'> & { tx: Tx };

/** The second half, in a transaction with the rights of the system; `forgetModels` after its commit. */
export async function applyModels(
  deps: ApplyDeps,
  fetched: FetchedCatalogue,
  options: Pick<SyncOptions, 'force'>,
): Promise<SyncResult> {
  const result = await decide(deps, fetched, options.force === true);
  report(deps, result);
  return result;
}

type KnownModel = Model & { missedSyncs: number };

async function decide(deps: ApplyDeps, { syncId, raw }: FetchedCatalogue, isForced: boolean): Promise<SyncResult> {
  const { tx } = deps;
  const at = now(deps);
  await tx.query('SELECT pg_advisory_xact_lock($1)', [LOCK_KEY]);
  if (await isSuperseded(tx, syncId)) {
    await finish(tx, { syncId, status: 'superseded', at });
    return { status: 'superseded', syncId };
  }
  await closeInterrupted(tx, syncId, at);
  const { rows: known } = await tx.query<KnownModel>(
    `SELECT ${modelColumns}, missed_syncs AS "missedSyncs" FROM ai_models`,
  );
  const { models: listed, skipped } = parseCatalogue(raw, new Map(known.map((model) => [model.openrouterId, model])));
  const isTrusted = isForced || (await wasSnapshot(tx));
  const { doubt, missing, gone } = judgeList({ known, listed, isTrusted, at });
  const odd = [
    ...listed.filter((model) => model.oddFields.length > 0).map(toOddModel),
    ...skipped.map(toLeftOut),
  ].slice(0, MAX_RECORDED);
  if (doubt) {
    await finish(tx, { syncId, status: 'refused', problem: `${doubt.reason}: ${explainDoubt(doubt)}`, odd, at });
    return { status: 'refused', syncId, ...doubt };
  }
  const changes = await applyCatalogue(tx, { listed, missing, gone }, { syncId, at });
  const told = { listed: listed.length, skipped: skipped.length, odd: odd.length, missing: missing.length };
  const counts = { ...told, ...changes };
  await finish(tx, { syncId, status: 'applied', counts, odd, at });
  await tx.query(REFRESH_SOON);
  const affectedResources = await follow(deps, syncId);
  if (missing.length > 0 || odd.length > 0 || Object.values(changes).some((count) => count > 0)) {
    await tx.query('SELECT pg_notify($1, $2)', [modelsChannel, syncId]);
  }
  return { status: 'applied', syncId, counts, odd, missing, affectedResources };
}

/** The snapshot is dated, so the list after it may lack any number of its models. */
async function wasSnapshot(tx: Tx): Promise<boolean> {
  const { rows } = await tx.query<{ trigger: string }>(
    `SELECT trigger FROM ai_model_syncs WHERE status = 'applied' ORDER BY number DESC LIMIT 1`,
  );
  return rows[0]?.trigger === SNAPSHOT_TRIGGER;
}

/** Whoever keeps the id of a model's row brings it up to date, in the same transaction. */
async function follow({ tx, follow: tell }: ApplyDeps, syncId: string): Promise<number> {
  if (!tell) {
    return 0;
  }
  const { rows } = await tx.query<Model>(`SELECT ${modelColumns} FROM ai_models`);
  const index = indexModels(rows);
  const isTroubled = (model: Model): boolean =>
    !model.isActive || model.missingSince !== null || model.oddSince !== null;
  return tell(tx, {
    activeIds: rows.filter(({ isActive }) => isActive).map(({ id }) => id),
    troubledIds: rows.filter(isTroubled).map(({ id }) => id),
    findId: (name) => index.find(name)?.id ?? null,
    syncId,
    changed: await listChanged(tx, syncId),
  });
}

function toOddModel({ openrouterId, oddFields }: { openrouterId: string; oddFields: OddField[] }): OddModel {
  return { openrouterId, fields: oddFields, isKept: true };
}

function toLeftOut({ openrouterId, reason }: SkippedEntry): OddModel {
  return { openrouterId, fields: [{ field: '', found: reason }], isKept: false };
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

interface Ending {
  syncId: string;
  status: SyncResult['status'] | 'failed';
  at: Date;
  counts?: SyncCounts;
  odd?: OddModel[];
  problem?: string;
}

async function finish(connection: Pick<Tx, 'query'>, ending: Ending): Promise<void> {
  const { syncId, status, at, counts, odd, problem } = ending;
  await connection.query(
    'UPDATE ai_model_syncs SET status = $2, counts = $3, problem = $4, odd = $5, finished_at = $6 WHERE id = $1',
    [
      syncId,
      status,
      counts ? JSON.stringify(counts) : null,
      problem ?? null,
      odd && odd.length > 0 ? JSON.stringify(odd) : null,
      at,
    ],
  );
}

function report({ log }: Pick<ModelsDeps, 'log'>, result: SyncResult): void {
  if (result.status !== 'applied') {
    log[result.status === 'refused' ? 'warn' : 'info']({ sync: result }, `catalogue sync ${result.status}`);
    return;
  }
  const { odd, missing, ...sync } = result;
  log.info({ sync }, 'catalogue sync applied');
  if (odd.length > 0) {
    log.warn({ odd: odd.slice(0, MAX_LOGGED) }, 'what the catalogue says of some models cannot be read');
  }
  if (missing.length > 0) {
    log.warn(
      { missing: missing.slice(0, MAX_LOGGED) },
      'the catalogue lacks models that it had; they are kept for now',
    );
  }
}

/** Never the upstream's own words: they may hold anything. */
function toReason(error: unknown): string {
  return error instanceof Problem ? error.code : error instanceof Error ? error.name : 'unknown';
}

function now(deps: Pick<ModelsDeps, 'clock'>): Date {
  return new Date(deps.clock.now());
}
