import { pauseCauses, type AffectedResource, type IntegrationDeps } from './openrouter-integration.ts';

const MAX_ROUNDS = 10;

type KeyState = 'usable' | keyof typeof pauseCauses;

interface Aligned {
  paused: string[];
  resumed: string[];
}

/**
 * Pauses or resumes what depends on the owner's key, according to the key as it is stored now. Every change of the key
 * ends with this; it looks again after acting, so that of several changes at once the last one holds.
 */
export async function alignAffected(deps: IntegrationDeps, ownerId: string): Promise<Aligned> {
  let aligned: Aligned = { paused: [], resumed: [] };
  let state = await readState(deps, ownerId);
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    aligned =
      state === 'usable'
        ? { paused: [], resumed: await deps.resumeAffected(ownerId) }
        : { paused: await deps.pauseAffected(ownerId, pauseCauses[state]), resumed: [] };
    const now = await readState(deps, ownerId);
    if (now === state) {
      return aligned;
    }
    state = now;
  }
  return aligned;
}

async function readState({ vault }: IntegrationDeps, ownerId: string): Promise<KeyState> {
  return vault.database.asUser(ownerId, async (tx) => {
    const { rows } = await tx.query<{ is_enabled: boolean; is_valid: boolean }>(
      'SELECT is_enabled, is_valid FROM user_openrouter_integrations WHERE owner_id = $1',
      [ownerId],
    );
    if (!rows[0]) {
      return 'deleted';
    }
    if (!rows[0].is_valid) {
      return 'refused';
    }
    return rows[0].is_enabled ? 'usable' : 'disabled';
  });
}

/** What ids of changed resources stand for. */
export async function describeAffected(
  deps: IntegrationDeps,
  ownerId: string,
  ids: readonly string[],
): Promise<AffectedResource[]> {
  return ids.length === 0 ? [] : (await deps.listAffected(ownerId)).filter(({ id }) => ids.includes(id));
}
