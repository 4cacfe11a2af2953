import { isSellable } from './check-margin.ts';
import { judgeNetworks } from './judge-networks.ts';
import { loadVersion } from './load-version.ts';
import { listPricedCases } from './priced-cases.ts';
import type { Readiness } from './resource-kind.ts';
import type { ResourcesDeps } from './resources-deps.ts';

type AskDeps = Pick<ResourcesDeps, 'database' | 'kinds' | 'clock' | 'payable'>;

/** Could the published version of a resource run if it were on sale? Null where it has none, or its kind is not offered here. */
export async function askReadiness(deps: AskDeps, resourceId: string): Promise<Readiness | null> {
  const source = { pool: deps.database.system, nowMs: deps.clock.now() };
  const version = await loadVersion(source, 'resource', [resourceId]);
  const kind = deps.kinds.find(({ name }) => name === version?.kind);
  if (!version || !kind) {
    return null;
  }
  const payable = judgeNetworks(version, ({ scheme, network }) =>
    deps.payable.some((taken) => taken.scheme === scheme && taken.network === network),
  );
  if (!payable.ready) {
    return payable;
  }
  return isSellable(kind, { ...version, state: 'published', pauseCause: null, pausedBy: null }, () =>
    listPricedCases(kind, version),
  );
}
