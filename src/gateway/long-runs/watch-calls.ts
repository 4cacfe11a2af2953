import type { GatewayDeps } from '../gateway-deps.ts';

const selectLeft = `
  SELECT id FROM calls WHERE id = ANY($1::uuid[])
    AND (state IN ('failed', 'refused', 'unpaid') OR (state IN ('running', 'fulfilling') AND process_id <> $2))`;

/** Runs whose call has ended without them, such as one that was cancelled in another process, are cut off here. */
export function cutOffEnded(
  deps: Pick<GatewayDeps, 'database' | 'longRuns' | 'callChanges' | 'processId' | 'log'>,
): void {
  deps.callChanges.onChanged((callId) => {
    const ours = callId === undefined ? [...deps.longRuns.keys()] : [callId].filter((id) => deps.longRuns.has(id));
    if (ours.length > 0) {
      cutOff(deps, ours).catch((err: unknown) => deps.log.warn({ err }, 'runs that are not wanted could not be found'));
    }
  });
}

async function cutOff(
  { database, longRuns, processId }: Pick<GatewayDeps, 'database' | 'longRuns' | 'processId'>,
  callIds: readonly string[],
): Promise<void> {
  const { rows } = await database.system.query<{ id: string }>(selectLeft, [callIds, processId]);
  rows.forEach(({ id }) => longRuns.get(id)?.abort());
}
