import { z } from 'zod';
import { operation, type Caller } from '#kit/index.ts';
import { assertPublic, loadPublic, type ReadDeps } from './get-resource.ts';
import { loadVersion } from './load-version.ts';
import { noSuchVersion } from './own-version.ts';
import { publicResource, toPublicResource } from './resource-view.ts';

export const getResourceVersion = operation({
  name: 'resources.version',
  route: 'GET /api/resources/:id/versions/:version',
  summary: 'The public view of one version; its "url" calls it whatever is published after it.',
  scope: 'public',
  input: z.strictObject({ id: z.uuid(), version: z.coerce.number().int().min(1).max(999_999_999) }),
  output: publicResource,
  problems: ['not_found', 'gone'],
  run: async (deps: ReadDeps, _caller: Caller, { id, version }) => {
    assertPublic(await loadPublic(deps, 'resource', [id]));
    const source = { nowMs: deps.clock.now() };
    const values = [id, String(version)];
    const found = await deps.asSystem((tx) => loadVersion({ ...source, pool: tx }, 'pinnedResource', values));
    return toPublicResource(deps, found ?? noSuchVersion(version));
  },
});
