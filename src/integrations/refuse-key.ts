import type { Tx } from '#database/index.ts';
import { sha256Hex } from '#kit/index.ts';
import { changeIntegration } from './change-integration.ts';
import type { IntegrationDeps, IntegrationRow } from './integration.ts';
import { toNextCheck } from './next-check.ts';
import { getService } from './open-key.ts';

const MAX_PROBLEM = 300;

/** What a provider refused in a call. `problem` is for the owner. */
export interface RefusedKey {
  service: string;
  ownerId: string;
  apiKey: string;
  problem: string;
}

/**
 * After the provider refused this very key in a call: it is not used again, and what depends on it is paused, until it is
 * tested with success or replaced (`checkKeys` tests it too). Does nothing when the key has been replaced meanwhile.
 */
export async function refuseKey(deps: IntegrationDeps, refused: RefusedKey): Promise<void> {
  const service = getService(deps, refused.service);
  const { ownerId, apiKey } = refused;
  const problem = refused.problem.replaceAll(apiKey, '…').slice(0, MAX_PROBLEM);
  const now = deps.vault.clock.now();
  const effects: (() => void)[] = [];
  const afterCommit = (effect: () => void): void => void effects.push(effect);
  const write = async (tx: Tx) => {
    const { rows } = await tx.query<IntegrationRow>(
      `UPDATE ${service.table} SET is_valid = false, last_problem = $3, updated_at = $4, refused_at = $4,
          next_check_at = $5
        WHERE owner_id = $1 AND key_hash = $2 AND is_valid RETURNING *`,
      [ownerId, sha256Hex(apiKey), problem, new Date(now), toNextCheck(now, 'bad')],
    );
    return rows[0];
  };
  await deps.vault.database.asUser(ownerId, (tx) =>
    changeIntegration({ ...deps, tx, afterCommit }, service, { ownerId, write }),
  );
  effects.forEach((effect) => effect());
}
