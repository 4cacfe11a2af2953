import { isSellable } from './check-margin.ts';
import { loadVersion } from './load-version.ts';
import { listPricedCases } from './priced-cases.ts';
import type { Readiness } from './resource-kind.ts';
import type { ResourcesDeps } from './resources-deps.ts';

type AskDeps = Pick<ResourcesDeps, 'database' | 'kinds' | 'clock'>;

/** Could the published version of a resource run if it were on sale? Null where it has none, or its kind is not offered here. */
export async function askReadiness(deps: AskDeps, resourceId: string): Promise<Readiness | null> {
  const source = { pool: deps.database.system, nowMs: deps.clock.now() };
  const version = await loadVersion(source, 'resource', [resourceId]);
  const kind = deps.kinds.find(({ name }) => name === version?.kind);
  if (!version || !kind) {
    return null;
  }
  return isSellable(kind, { ...version, state: 'published', pauseCause: null, pausedBy: null }, () =>
    listPricedCases(kind, version),
  );
}
