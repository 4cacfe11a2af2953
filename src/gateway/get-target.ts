import { Problem } from '#kit/index.ts';
import type { PublishedVersion } from '#resources/index.ts';
import type { CallRequest } from './call-request.ts';
import type { GatewayDeps } from './gateway-deps.ts';

/** The published version that a request names; synchronous while it is in memory. Throws `not_found`. */
export function getTarget(
  deps: Pick<GatewayDeps, 'published'>,
  target: CallRequest['target'],
): PublishedVersion | Promise<PublishedVersion> {
  const found =
    'slug' in target
      ? deps.published.find(target.creator, target.slug, target.version)
      : deps.published.findById(target.resourceId, target.version);
  return found instanceof Promise ? found.then(orNotFound) : orNotFound(found);
}

function orNotFound(version: PublishedVersion | null): PublishedVersion {
  if (!version) {
    throw new Problem('not_found', { detail: 'No resource is published at this address.' });
  }
  return version;
}
