import type { Tx } from '#database/index.ts';
import { assertUser, Problem, type Caller, type User } from '#kit/index.ts';
import type { ResourceRow } from './tables.ts';

export function getUser(caller: Caller): User {
  assertUser(caller);
  return caller;
}

export function notFound(): Problem {
  return new Problem('not_found', { detail: 'There is no such resource.' });
}

/** Row-level security shows only what belongs to the user that the transaction acts for. */
export async function findOwn(tx: Tx, id: string): Promise<ResourceRow | null> {
  const { rows } = await tx.query<ResourceRow>('SELECT * FROM x402_resources WHERE id = $1', [id]);
  return rows[0] ?? null;
}

/** The same, for modules that know resources by their ids alone. */
export async function isOwnResource(tx: Tx, id: string): Promise<boolean> {
  return (await findOwn(tx, id)) !== null;
}

/** The same, locked until the transaction ends. Throws `not_found`, and `conflict` when it is archived. */
export async function lockOwn(tx: Tx, id: string): Promise<ResourceRow> {
  const { rows } = await tx.query<ResourceRow>('SELECT * FROM x402_resources WHERE id = $1 FOR UPDATE', [id]);
  const row = rows[0];
  if (!row) {
    throw notFound();
  }
  if (row.state === 'archived') {
    throw new Problem('conflict', { detail: 'This resource is archived and cannot be changed any more.' });
  }
  return row;
}

interface SlugClaim {
  ownerId: string;
  resourceId: string;
  slug: string;
}

/** Takes the slug for the resource, for good. Throws `conflict` when another one of the owner's has it. */
export async function claimSlug(tx: Tx, claim: SlugClaim): Promise<void> {
  const { rowCount } = await tx.query(
    `INSERT INTO x402_resource_slugs AS taken (owner_id, slug, resource_id) VALUES ($1, $2, $3)
     ON CONFLICT (owner_id, slug) DO UPDATE SET slug = excluded.slug WHERE taken.resource_id = excluded.resource_id`,
    [claim.ownerId, claim.slug, claim.resourceId],
  );
  if (rowCount !== 1) {
    const detail = `Another one of your resources is, or was, called "${claim.slug}".`;
    const next =
      'Choose another slug, or change the resource that has this one: GET /api/resources?mine=true lists yours.';
    throw new Problem('conflict', { detail, next, fields: [{ path: '/slug', message: 'Choose another slug.' }] });
  }
}
