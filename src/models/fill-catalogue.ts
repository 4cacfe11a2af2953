import type { ModelsDeps } from './open-models.ts';
import { readSnapshot } from './snapshot/read-snapshot.ts';
import { SNAPSHOT_TRIGGER, syncModels } from './sync-models.ts';

/**
 * For the start of a server: a catalogue that is empty or still the snapshot's is fetched; when that fails, an empty one
 * is filled with the snapshot that ships. Any other catalogue is left to the schedule.
 */
export async function fillCatalogue(deps: ModelsDeps): Promise<void> {
  const { rows } = await deps.database.system.query<{ isEmpty: boolean; last: string | null }>(
    `SELECT NOT EXISTS (SELECT FROM ai_models) AS "isEmpty",
            (SELECT trigger FROM ai_model_syncs WHERE status = 'applied' ORDER BY number DESC LIMIT 1) AS last`,
  );
  const isEmpty = rows[0]?.isEmpty === true;
  if (!isEmpty && rows[0]?.last !== SNAPSHOT_TRIGGER) {
    return;
  }
  try {
    await syncModels(deps, { trigger: 'start' });
  } catch (err) {
    const { takenAt, models } = await readSnapshot();
    deps.log.warn(
      { err },
      `the model catalogue cannot be read; the one of ${takenAt} that ships serves until a sync succeeds`,
    );
    if (isEmpty) {
      await syncModels({ ...deps, fetchCatalogue: async () => models }, { trigger: SNAPSHOT_TRIGGER });
    }
  }
}
