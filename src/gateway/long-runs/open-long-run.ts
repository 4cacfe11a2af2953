import type { Pool, PoolClient } from 'pg';
import type { RunContext } from '#resources/index.ts';
import type { GatewayDeps } from '../gateway-deps.ts';

type Progress = Parameters<NonNullable<RunContext['report']>>[0];

const KEEP_EVERY_MS = 1_000;
const LONGEST_NOTE = 200;

const keep = `
  UPDATE long_calls SET progress = $2, progress_at = now()
  WHERE call_id = $1 AND progress IS DISTINCT FROM $2::jsonb`;

/** A run behind a 202: it can be cut off from elsewhere, and what it tells of itself is kept for its buyer. */
export function openLongRun(
  deps: Pick<GatewayDeps, 'database' | 'longRuns' | 'log'>,
  callId: string,
  controller: AbortController,
): Required<Pick<RunContext, 'report'>> {
  deps.longRuns.set(callId, controller);
  let latest: Progress | null = null;
  let isKeeping = false;
  const keepLatest = async (): Promise<void> => {
    isKeeping = true;
    while (latest !== null) {
      const told = latest;
      latest = null;
      await keepProgress(deps.database.system, callId, told);
      await new Promise((resolve) => setTimeout(resolve, KEEP_EVERY_MS).unref());
    }
    isKeeping = false;
  };
  return {
    report: (progress) => {
      latest = progress;
      if (!isKeeping) {
        keepLatest().catch((error: unknown) => {
          isKeeping = false;
          deps.log.warn({ err: error, callId }, 'how far a run has come could not be kept');
        });
      }
    },
  };
}

/** Tells at once how far a run has come. */
export async function keepProgress(
  executor: Pick<Pool | PoolClient, 'query'>,
  callId: string,
  progress: Progress,
): Promise<void> {
  await executor.query(keep, [callId, JSON.stringify(toStored(progress))]);
}

function toStored({ percent, note }: Progress): { percent: number | null; note: string | null } {
  const isShare = percent !== undefined && Number.isFinite(percent);
  return {
    percent: isShare ? Math.min(100, Math.max(0, Math.round(percent))) : null,
    note: note === undefined ? null : note.slice(0, LONGEST_NOTE),
  };
}
