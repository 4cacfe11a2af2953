import { rerunOwed } from '../carry-on.ts';
import type { PaidCall } from '../call-record.ts';
import type { GatewayDeps } from '../gateway-deps.ts';
import type { FollowedCall } from './read-status.ts';

/** Its buyer asks for what is owed, so it is run again where it is due, also beyond the runs that nobody asks for. */
export function rerunIfOwed(deps: GatewayDeps, { row, status }: FollowedCall, input?: PaidCall['input']): void {
  const { id } = row;
  if (status.state !== 'owed' || deps.reruns.has(id)) {
    return;
  }
  deps.reruns.add(id);
  void rerunOwed(deps, id, input)
    .then((rerun) => (rerun.kind === 'run' ? rerun.outcome : null))
    .catch((err: unknown) => deps.log.error({ err, callId: id }, 'an owed call could not be run again'))
    .finally(() => deps.reruns.delete(id));
}
