import { z } from 'zod';
import type { InTransaction } from '#database/index.ts';
import { isSlug, isUsername, operation, Problem, type Caller } from '#kit/index.ts';
import type { Findings } from './check-draft.ts';
import { findFindings, toOwnDraft } from './draft-version.ts';
import { findSamples } from './list-examples.ts';
import { loadVersion } from './load-version.ts';
import { findOwn, notFound } from './own-resource.ts';
import type { PublishedVersion } from './resource-kind.ts';
import { checkedResource, findStats, publicResource, toPublicResource } from './resource-view.ts';
import type { ResourcesDeps } from './resources-deps.ts';
import { showOwn } from './show-own.ts';
import type { ResourceRow } from './tables.ts';
import { withoutCode } from './without-code.ts';

export type ReadDeps = ResourcesDeps & Omit<InTransaction, 'prepared'>;

interface Prepared {
  findings: Findings;
  /** Why buyers are turned away from what is published all the same. */
  refusal: string | null;
}

export const getResource = operation({
  name: 'resources.get',
  route: 'GET /api/resources/:id',
  summary: 'A resource: its creator sees everything, everybody else what is public.',
  scope: 'public',
  input: z.strictObject({ id: z.uuid() }),
  output: z.discriminatedUnion('view', [checkedResource, publicResource]),
  problems: ['not_found', 'gone'],
  // Before the transaction: a kind may take its time.
  prepare: async (deps: ResourcesDeps, caller, { id }): Promise<Prepared | null> => {
    if (caller.kind !== 'user') {
      return null;
    }
    const own = await deps.database.asUser(caller.userId, (tx) => findOwnReadable({ tx }, caller, id));
    if (own === null) {
      return null;
    }
    const refusal = own.state === 'published' ? ((await deps.findRefusal?.(id)) ?? null) : null;
    return { findings: await findFindings(deps, toOwnDraft(own, caller)), refusal };
  },
  run: async (deps: ResourcesDeps & InTransaction<Prepared | null>, caller: Caller, { id }) => {
    const own = await findOwnReadable(deps, caller, id);
    if (own && caller.kind === 'user' && deps.prepared) {
      const { findings, refusal } = deps.prepared;
      const shown = await showOwn(deps, caller, own);
      return { ...shown, ...findings, pauseCause: shown.pauseCause ?? (refusal && withoutCode(refusal)) };
    }
    return showPublic(deps, await loadPublic(deps, 'resource', [id]));
  },
});

export const getCreatorResource = operation({
  name: 'creators.resource',
  route: 'GET /api/creators/:username/:slug',
  summary: 'The public view of a resource, by its creator and slug.',
  scope: 'public',
  input: z.strictObject({ username: z.string().max(60), slug: z.string().max(100) }),
  output: publicResource,
  problems: ['not_found', 'gone'],
  run: async (deps: ReadDeps, _caller: Caller, { username, slug }) => {
    const isName = isUsername(username) && isSlug(slug);
    return showPublic(deps, isName ? await loadPublic(deps, 'slug', [username, slug]) : null);
  },
});

/** The caller's own row, if they (and the API key they use) may read it. */
export async function findOwnReadable(
  { tx }: Pick<InTransaction, 'tx'>,
  caller: Caller,
  id: string,
): Promise<ResourceRow | null> {
  if (caller.kind !== 'user' || !caller.scopes.includes('resources:read')) {
    return null;
  }
  return findOwn(tx, id);
}

/** Throws `not_found` for what was never published and `gone` for what is archived. */
export function assertPublic(version: PublishedVersion | null): asserts version is PublishedVersion {
  if (!version) {
    throw notFound();
  }
  if (version.state === 'archived') {
    throw new Problem('gone', { detail: 'Its creator has taken this resource off.' });
  }
}

async function showPublic(deps: ReadDeps, version: PublishedVersion | null): Promise<z.input<typeof publicResource>> {
  assertPublic(version);
  const stats = await findStats(deps, [version.resourceId]);
  const samples = await deps.asSystem((tx) => findSamples(tx, version.resourceId));
  return toPublicResource(deps, version, { stats: stats.get(version.resourceId), samples });
}

/** With the rights of the system: what is published may be anybody's. */
export function loadPublic({ asSystem, clock }: ReadDeps, by: 'slug' | 'resource', values: readonly string[]) {
  return asSystem((tx) => loadVersion({ pool: tx, nowMs: clock.now() }, by, values));
}
