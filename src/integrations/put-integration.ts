import { z } from 'zod';
import type { InTransaction, Tx } from '#database/index.ts';
import { assertUser, newId, operation, sha256Hex, type Caller } from '#kit/index.ts';
import type { Vault } from '#vault/index.ts';
import { changeIntegration } from './change-integration.ts';
import { assertGiven, type Checked } from './check-given.ts';
import type { IntegrationService } from './integration-service.ts';
import { toView, toViewSchema, type IntegrationDeps, type IntegrationRow } from './integration.ts';
import { toNextCheck } from './next-check.ts';
import { toKeyPlace } from './open-key.ts';

export function putIntegration<Given extends object, Shown extends object, Name extends string>(
  service: IntegrationService<Given, Shown, Name>,
) {
  const { provider, credential } = service;
  const isEnabled = z.boolean().default(true);
  type Sent = Given & { isEnabled: boolean };
  const input: unknown = service.given.extend({ isEnabled });
  return operation({
    name: `integrations.${service.name}.put`,
    route: `PUT /api/user/integrations/${service.name}`,
    summary: `Test your ${provider} ${credential} and store it encrypted; resumes what was paused for want of it`,
    scope: 'integrations:write',
    input: input as z.ZodType<Sent, Given & { isEnabled?: boolean | undefined }>,
    output: toViewSchema<Shown, 'resumed'>(service, ['resumed']),
    problems: ['unprocessable', 'unavailable'],
    // The provider is asked before the transaction.
    prepare: (deps: IntegrationDeps, _caller, sent) => assertGiven(deps, service, sent),
    run: async (deps: IntegrationDeps & InTransaction<GoodKey<Shown>>, caller: Caller, sent) => {
      assertUser(caller);
      const { isEnabled: isOn } = sent;
      const given = { ownerId: caller.userId, key: service.toKey(sent), isEnabled: isOn, good: deps.prepared };
      return connectKey(deps, service, given);
    },
  });
}

export type GoodKey<Shown extends object> = Extract<Checked<Shown>, { verdict: 'good' }>;

interface GivenKey<Shown extends object> {
  ownerId: string;
  key: string;
  isEnabled: boolean;
  good: GoodKey<Shown>;
}

/** Stores a key that its provider has just called good, however it was given, and resumes what waited for one. */
export async function connectKey<Given extends object, Shown extends object>(
  deps: IntegrationDeps & InTransaction<unknown>,
  service: IntegrationService<Given, Shown>,
  { ownerId, key, isEnabled, good }: GivenKey<Shown>,
) {
  const { label, shown, hasCredit } = good;
  const stored: NewKey = { ownerId, key, isEnabled, label, shown, isCreditTold: hasCredit !== null };
  const { row, resumed } = await changeIntegration(deps, service, {
    ownerId,
    write: (tx) => storeKey(deps.vault, tx, { service, stored }),
  });
  return { ...toView<Shown>(service, row), resumed };
}

interface NewKey {
  ownerId: string;
  key: string;
  isEnabled: boolean;
  label: string | null;
  shown: object;
  isCreditTold: boolean;
}

async function storeKey(
  vault: Vault,
  tx: Tx,
  { service, stored }: { service: IntegrationService; stored: NewKey },
): Promise<IntegrationRow> {
  const now = vault.clock.now();
  const sealed = await vault.seal(tx, toKeyPlace(service, stored.ownerId), stored.key);
  const { rows } = await tx.query<IntegrationRow>(
    `INSERT INTO ${service.table} AS i
       (owner_id, id, label, sealed_key, key_hash, last_four, is_enabled, is_valid, snapshot, last_checked_at, created_at, updated_at,
        next_check_at, last_credit_check)
     VALUES ($1, $2, $3, $4, $5, $6, $7, true, $8, $9, $9, $9, $10, $11)
     ON CONFLICT (owner_id) DO UPDATE SET
       label = excluded.label, sealed_key = excluded.sealed_key, key_hash = excluded.key_hash,
       last_four = excluded.last_four, is_enabled = excluded.is_enabled, is_valid = true, snapshot = excluded.snapshot,
       last_checked_at = excluded.last_checked_at, last_problem = NULL, refused_at = NULL,
       updated_at = excluded.updated_at, next_check_at = excluded.next_check_at,
       last_credit_check = excluded.last_credit_check
     RETURNING *`,
    [
      stored.ownerId,
      newId(),
      stored.label,
      sealed,
      sha256Hex(stored.key),
      stored.key.slice(-4),
      stored.isEnabled,
      stored.shown,
      new Date(now),
      toNextCheck(now, 'good'),
      stored.isCreditTold ? new Date(now) : null,
    ],
  );
  return rows[0] as IntegrationRow;
}
