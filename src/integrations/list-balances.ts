import type { IntegrationDeps, IntegrationRow } from './integration.ts';
import { openRouter } from './openrouter.ts';

/** What a provider last said of the money behind a stored key; USD as decimal text, null where it does not say. */
export interface Balance {
  ownerId: string;
  service: string;
  provider: string;
  /** Another key may be of another account. */
  keyHash: string;
  creditsUsd: string | null;
  limitUsd: string | null;
  limitLeftUsd: string | null;
  /** When the limit is whole again, as the provider calls it. */
  limitReset: string | null;
}

/** Of every owner whose key tells anything of it. The system's rights. */
export async function listBalances({ vault }: Pick<IntegrationDeps, 'vault'>): Promise<Balance[]> {
  const { rows } = await vault.database.system.query<Pick<IntegrationRow, 'owner_id' | 'key_hash' | 'snapshot'>>(
    `SELECT owner_id, key_hash, snapshot FROM ${openRouter.table}
     WHERE is_enabled AND (snapshot->>'creditsUsd' IS NOT NULL OR snapshot->>'limit' IS NOT NULL)`,
  );
  return rows.map(({ owner_id: ownerId, key_hash: keyHash, snapshot }) => {
    const { creditsUsd, limit, limitRemaining, limitReset } = openRouter.shown.parse(snapshot);
    const { name: service, provider } = openRouter;
    const limits = { limitUsd: limit, limitLeftUsd: limitRemaining, limitReset };
    return { ownerId, service, provider, keyHash, creditsUsd, ...limits };
  });
}
