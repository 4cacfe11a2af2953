import type { PublishedVersion } from '#resources/index.ts';
import type { CallRequest } from './call-request.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { getTarget } from './get-target.ts';

/** What a surface has to know of a resource to put a request in other words into its parameters. */
export interface Callable {
  version: PublishedVersion;
  /** Its answers hold JSON by a schema of its own. */
  promisesJson: boolean;
}

/** Throws `not_found`. */
export async function getCallable(
  deps: Pick<GatewayDeps, 'published' | 'kinds'>,
  target: CallRequest['target'],
): Promise<Callable> {
  const version = await getTarget(deps, target);
  const promised = deps.kinds.get(version.kind)?.outputOf?.(version.config) ?? null;
  return { version, promisesJson: promised !== null };
}
