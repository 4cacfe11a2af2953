import type { Readiness } from '#resources/index.ts';
import type { PaidCall } from './call-record.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { isOurs } from './long-runs/is-ours.ts';

/** Before any money moves: sets aside what is limited of the call's run, such as a share of a key that others use too. */
export async function holdRun(
  { kinds }: Pick<GatewayDeps, 'kinds'>,
  { version, callId }: PaidCall,
): Promise<Readiness> {
  return (await kinds.get(version.kind)?.holdRun?.(version, callId)) ?? { ready: true };
}

/** The call is not run after all. Never rejects: what cannot be released counts as used. */
export async function releaseRun(
  deps: Pick<GatewayDeps, 'kinds' | 'log' | 'database' | 'processId'>,
  call: PaidCall,
): Promise<void> {
  const { version, callId } = call;
  try {
    if (await isOurs(deps, call)) {
      await deps.kinds.get(version.kind)?.releaseRun?.(callId);
    }
  } catch (err) {
    deps.log.warn({ err, callId }, 'what was set aside for a run could not be released');
  }
}
