import { z } from 'zod';
import type { Tx } from '#database/index.ts';
import { Problem } from '#kit/index.ts';
import type { Vault } from '#vault/index.ts';
import { dependent, stillSellingShape, type Changes, type Dependent } from './changes.ts';
import type { IntegrationService, ProviderClients, ServiceName } from './integration-service.ts';

export interface IntegrationDeps {
  vault: Vault;
  services: readonly IntegrationService[];
  clients: ProviderClients;
  changes: Changes;
}

/** A row of any service's table: an owner has one connection to a service. */
export interface IntegrationRow {
  id: string;
  owner_id: string;
  label: string | null;
  sealed_key: Buffer;
  key_hash: string;
  last_four: string;
  is_enabled: boolean;
  is_valid: boolean;
  snapshot: object;
  last_checked_at: Date;
  last_problem: string | null;
  /** When a call met the refusal; null when a check found it, or there is none. */
  refused_at: Date | null;
  /** When the provider last said what money there is. */
  last_credit_check: Date | null;
  next_check_at: Date;
  created_at: Date;
  updated_at: Date;
}

const commonView = z.object({
  id: z.string(),
  label: z.string().nullable(),
  lastFour: z.string(),
  keyHash: z.string(),
  isEnabled: z.boolean(),
  isValid: z.boolean(),
  lastCheckedAt: z.string(),
  lastProblem: z.string().nullable(),
  createdAt: z.string(),
  updatedAt: z.string(),
});

/** All that the owner is ever told about a stored key. `keyHash` finds it in the provider's own logs. */
export type IntegrationView<Shown extends object> = z.output<typeof commonView> & Shown;

const switchedLists = z.object({ paused: z.array(dependent), resumed: z.array(dependent), ...stillSellingShape });

/** The schema of the view, with the lists that an answer has beside it. */
export function toViewSchema<Shown extends object, List extends 'resumed' = never>(
  service: Pick<IntegrationService<object, Shown>, 'shown'>,
  lists: readonly List[] = [],
) {
  type View = IntegrationView<Shown> & Record<List, Dependent[]>;
  const more = Object.fromEntries(lists.map((list) => [list, z.array(dependent)]));
  const schema: unknown = z.object({ ...commonView.shape, ...service.shown.shape, ...more });
  return schema as z.ZodType<View, View>;
}

/** The schema of the view with everything that switching a connection on or off changes. */
export function toSwitchedSchema<Shown extends object>(service: Pick<IntegrationService<object, Shown>, 'shown'>) {
  type View = IntegrationView<Shown> & z.output<typeof switchedLists>;
  const schema: unknown = z.object({ ...commonView.shape, ...service.shown.shape, ...switchedLists.shape });
  return schema as z.ZodType<View, View>;
}

export function toView<Shown extends object>(
  service: Pick<IntegrationService<object, Shown>, 'shown'>,
  row: IntegrationRow,
): IntegrationView<Shown> {
  return {
    ...service.shown.parse(row.snapshot),
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

/** The owner's row; null when nothing is connected. */
export async function findIntegration(
  tx: Tx,
  { table }: Pick<IntegrationService, 'table'>,
  ownerId: string,
): Promise<IntegrationRow | null> {
  const { rows } = await tx.query<IntegrationRow>(`SELECT * FROM ${table} WHERE owner_id = $1`, [ownerId]);
  return rows[0] ?? null;
}

/** Throws `not_found`. */
export async function getIntegration(tx: Tx, service: IntegrationService, ownerId: string): Promise<IntegrationRow> {
  return (await findIntegration(tx, service, ownerId)) ?? refuseMissing(service);
}

export function refuseMissing({ name, provider, credential }: ServiceName): never {
  throw new Problem('not_found', {
    detail: `No ${provider} ${credential} is stored for this account.`,
    next: `Store one with PUT /api/user/integrations/${name}.`,
  });
}

/** Why something that needs the connection cannot work, in words for its owner; null when it can. */
export function toProblem(service: ServiceName, row: IntegrationRow | null): string | null {
  const { name, provider, credential } = service;
  const path = `/api/user/integrations/${name}`;
  if (row === null) {
    return `Your ${provider} ${credential} was deleted. Store another one with PUT ${path}.`;
  }
  if (!row.is_valid) {
    const said = row.last_problem === null ? '' : ` ${row.last_problem}`;
    return `${provider} does not take your ${credential} for calls.${said} Once that is mended, POST ${path}/test brings back what is paused for it; it is also looked at again by itself.`;
  }
  return row.is_enabled
    ? null
    : `Your ${provider} ${credential} is switched off. Switch it on with PATCH ${path} {"isEnabled": true}.`;
}
