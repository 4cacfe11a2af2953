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

/** A schema is compiled to tell, and versions are immutable. */
const known = new WeakMap<PublishedVersion, Callable>();

/** Throws `not_found`. */
export async function getCallable(
  { published, kinds }: Pick<GatewayDeps, 'published' | 'kinds'>,
  target: CallRequest['target'],
): Promise<Callable> {
  const version = await getTarget({ published }, target);
  const found = known.get(version);
  if (found) {
    return found;
  }
  const promised = kinds.get(version.kind)?.outputOf?.(version.config) ?? null;
  const callable = { version, promisesJson: promised !== null };
  known.set(version, callable);
  return callable;
}
