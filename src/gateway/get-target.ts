import { Problem } from '#kit/index.ts';
import { toBatch, type PublishedVersion } from '#resources/index.ts';
import type { CallRequest } from './call-request.ts';
import type { GatewayDeps } from './gateway-deps.ts';

/**
 * The published version that a request names, as it is sold for what the request carries; synchronous while it is in memory.
 * Throws `not_found`.
 */
export function getTarget(
  deps: Pick<GatewayDeps, 'published'>,
  target: CallRequest['target'],
): PublishedVersion | Promise<PublishedVersion> {
  const found = find(deps, target, target.version);
  const toSold = (version: PublishedVersion | null) =>
    version === null ? refuse(deps, target) : target.isBatch ? getBatch(version) : version;
  return found instanceof Promise ? found.then(toSold) : toSold(found);
}

function getBatch(version: PublishedVersion): PublishedVersion {
  if (version.batch === undefined) {
    throw new Problem('not_found', {
      detail: 'This resource takes one input a call.',
      next: 'Call it once for each input, at its address without /batch.',
    });
  }
  return toBatch(version);
}

function find(
  { published }: Pick<GatewayDeps, 'published'>,
  target: CallRequest['target'],
  version?: number,
): ReturnType<GatewayDeps['published']['find']> {
  return 'slug' in target
    ? published.find(target.creator, target.slug, version)
    : published.findById(target.resourceId, version);
}

async function refuse(deps: Pick<GatewayDeps, 'published'>, target: CallRequest['target']): Promise<never> {
  const newest = target.version === undefined ? null : await find(deps, target);
  if (newest === null) {
    throw new Problem('not_found', { detail: 'No resource is published at this address.' });
  }
  throw new Problem('not_found', {
    detail: `This resource has no version ${target.version}; its latest is version ${newest.version}.`,
    next: 'Name a version that it has, or none for the latest.',
  });
}
