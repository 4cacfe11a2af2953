import { z } from 'zod';
import { operation, Problem, type Caller } from '#kit/index.ts';
import { loadVersion } from './load-version.ts';
import { findOwn, notFound } from './own-resource.ts';
import type { PublishedVersion } from './resource-kind.ts';
import { findStats, ownResource, publicResource, toPublicResource } from './resource-view.ts';
import type { ResourcesDeps } from './resources-deps.ts';
import { showOwn } from './show-own.ts';
import type { ResourceRow } from './tables.ts';

export const getResource = operation({
  name: 'resources.get',
  route: 'GET /api/resources/:id',
  summary: 'A resource: its creator sees everything, everybody else what is public.',
  scope: 'public',
  input: z.strictObject({ id: z.uuid() }),
  output: z.discriminatedUnion('view', [ownResource, publicResource]),
  run: async (deps: ResourcesDeps, caller: Caller, { id }) => {
    const own = await findOwnReadable(deps, caller, id);
    if (own && caller.kind === 'user') {
      return showOwn(deps, caller, own);
    }
    return showPublic(deps, await loadVersion(sourceOf(deps), 'resource', [id]));
  },
});

export const getCreatorResource = operation({
  name: 'creators.resource',
  route: 'GET /api/creators/:username/:slug',
  summary: 'The public face of a resource, by its creator and slug.',
  scope: 'public',
  input: z.strictObject({ username: z.string().max(60), slug: z.string().max(100) }),
  output: publicResource,
  run: async (deps: ResourcesDeps, _caller: Caller, { username, slug }) => {
    const isName = !username.includes('\0') && !slug.includes('\0');
    return showPublic(deps, isName ? await loadVersion(sourceOf(deps), 'slug', [username, slug]) : null);
  },
});

/** The caller's own row, if they (and the API key they use) may read it. */
export async function findOwnReadable(deps: ResourcesDeps, caller: Caller, id: string): Promise<ResourceRow | null> {
  if (caller.kind !== 'user' || !caller.scopes.includes('resources:read')) {
    return null;
  }
  return deps.database.asUser(caller.userId, (tx) => findOwn(tx, id));
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

async function showPublic(
  deps: ResourcesDeps,
  version: PublishedVersion | null,
): Promise<z.input<typeof publicResource>> {
  assertPublic(version);
  const stats = await findStats(deps, [version.resourceId]);
  return toPublicResource(deps, version, stats.get(version.resourceId));
}

function sourceOf(deps: ResourcesDeps) {
  return { pool: deps.database.system, nowMs: deps.clock.now() };
}
