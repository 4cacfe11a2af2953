import { z } from 'zod';
import type { Tx } from '#database/index.ts';
import { Problem, type User } from '#kit/index.ts';
import type { Vault } from './open-vault.ts';

const text = z.string().max(200).nullable().default(null);

/** What OpenRouter says about a key (`GET /key`); amounts are USD as decimal text. Also the allow-list of what is kept. */
export const keySnapshot = z.object({
  label: text,
  limit: text,
  limitRemaining: text,
  limitReset: text,
  usage: text,
  usageMonthly: text,
  isFreeTier: z.boolean().default(false),
  expiresAt: text,
});

export type KeyCheck =
  | { ok: true; snapshot: z.input<typeof keySnapshot> }
  /** `detail` is for the owner of the key. */
  | { ok: false; reason: string; detail: string };

export const affectedResource = z.object({
  id: z.string(),
  kind: z.string(),
  slug: z.string(),
  name: z.string(),
  state: z.string(),
});
export type AffectedResource = z.output<typeof affectedResource>;

/** Why resources pause, in words for their creator. */
export const pauseCauses = {
  deleted: 'Your OpenRouter key was deleted.',
  disabled: 'Your OpenRouter key is switched off.',
  refused: 'OpenRouter refuses your key. Replace it, or mend it there and test it here.',
} as const;

/** The ports are idempotent and return the ids of what they changed; only what was paused for the key is resumed. */
export interface IntegrationDeps {
  vault: Vault;
  /** Asks OpenRouter; never called inside a transaction. */
  checkKey(apiKey: string): Promise<KeyCheck>;
  listAffected(ownerId: string): Promise<AffectedResource[]>;
  pauseAffected(ownerId: string, cause: string): Promise<string[]>;
  resumeAffected(ownerId: string): Promise<string[]>;
}

export interface IntegrationRow {
  id: string;
  owner_id: string;
  label: string | null;
  sealed_key: Buffer;
  key_hash: string;
  last_four: string;
  is_enabled: boolean;
  is_valid: boolean;
  snapshot: z.output<typeof keySnapshot>;
  last_checked_at: Date;
  last_problem: string | null;
  created_at: Date;
  updated_at: Date;
}

/** All that anybody is ever told about a stored key. `keyHash` finds it in OpenRouter's own logs. */
export const integrationView = z.object({
  id: z.string(),
  label: z.string().nullable(),
  lastFour: z.string(),
  keyHash: z.string(),
  isEnabled: z.boolean(),
  isValid: z.boolean(),
  ...keySnapshot.omit({ label: true }).shape,
  lastCheckedAt: z.string(),
  lastProblem: z.string().nullable(),
  createdAt: z.string(),
  updatedAt: z.string(),
});

export function toIntegrationView(row: IntegrationRow): z.input<typeof integrationView> {
  return {
    ...row.snapshot,
    id: row.id,
    label: row.label,
    lastFour: row.last_four,
    keyHash: row.key_hash,
    isEnabled: row.is_enabled,
    isValid: row.is_valid,
    lastCheckedAt: row.last_checked_at.toISOString(),
    lastProblem: row.last_problem,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}

/** The row of the caller; throws `not_found`. */
export async function getIntegration(tx: Tx, caller: User): Promise<IntegrationRow> {
  const { rows } = await tx.query<IntegrationRow>('SELECT * FROM user_openrouter_integrations WHERE owner_id = $1', [
    caller.userId,
  ]);
  return rows[0] ?? refuseMissing();
}

export function refuseMissing(): never {
  throw new Problem('not_found', {
    detail: 'No OpenRouter key is stored for this account.',
    next: 'Store one with PUT /api/user/integrations/openrouter.',
  });
}
