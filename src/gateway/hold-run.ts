import { listInputs, type Readiness } from '#resources/index.ts';
import { holdUnderCaps, releaseUnderCaps } from './hold-spend.ts';
import type { PaidCall } from './call-record.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { isOurs } from './long-runs/is-ours.ts';

type HoldDeps = Pick<GatewayDeps, 'database' | 'kinds' | 'clock' | 'log' | 'readiness' | 'news' | 'spend'>;

/**
 * Before any money moves: sets aside what is limited of the call's run, such as a share of a key that others use too, and
 * what its creator allows to be spent.
 */
export async function holdRun(deps: HoldDeps, call: PaidCall): Promise<Readiness> {
  const { callId, payment, input } = call;
  const { batchOf } = call.version;
  const version = batchOf ?? call.version;
  const runs = batchOf ? listInputs(input).length : 1;
  const full = await holdUnderCaps(deps, { callId, version, payer: payment.payer, runs });
  if (full) {
    return full;
  }
  const held = (await deps.kinds.get(version.kind)?.holdRun?.(version, callId, runs)) ?? { ready: true };
  if (!held.ready) {
    await releaseUnderCaps(deps, callId);
  }
  return held;
}

type ReleaseDeps = Pick<GatewayDeps, 'kinds' | 'log' | 'database' | 'processId'>;

/** The call is not run at all: what was set aside for it is free again. Never rejects. */
export async function releaseUnrun(deps: ReleaseDeps, call: PaidCall): Promise<void> {
  if (await releaseRun(deps, call)) {
    await releaseUnderCaps(deps, call.callId);
  }
}

/**
 * A run that has not begun is not begun after all. Never rejects: what cannot be released counts as used.
 * @returns whether the call was still this process's to release.
 */
export async function releaseRun(deps: ReleaseDeps, call: PaidCall): Promise<boolean> {
  const { version, callId } = call;
  try {
    if (!(await isOurs(deps, call))) {
      return false;
    }
    await deps.kinds.get(version.kind)?.releaseRun?.(callId);
    return true;
  } catch (err) {
    deps.log.warn({ err, callId }, 'what was set aside for a run could not be released');
    return false;
  }
}
