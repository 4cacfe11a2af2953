import { fromStoredPayment } from '#payments/index.ts';
import { Problem } from '#kit/index.ts';
import { giveKept } from '../answer-held.ts';
import type { CallOutcome } from '../call-request.ts';
import type { GatewayDeps } from '../gateway-deps.ts';
import { rerunIfOwed } from './rerun-if-owed.ts';
import { isOpen, readStatus, toEndedProblem, type FollowedCall } from './read-status.ts';

/** How long somebody waits, and who has gone before. */
export interface Patience {
  waitMs: number;
  gone: AbortSignal;
}

/** How a call stands once it has ended, or the time is over. Throws `not_found` and `rate_limited`. */
export async function getFollowed(deps: GatewayDeps, callId: string, patience: Patience): Promise<FollowedCall> {
  const now = await read(deps, callId);
  if (patience.waitMs <= 0 || !isOpen(now.status)) {
    return now;
  }
  let latest = now;
  for await (const followed of followCall(deps, callId, patience)) {
    latest = followed;
  }
  return latest;
}

/** Every change of a call until it has ended, the time is over or this process stops, beginning with how it stands now. */
export async function* followCall(
  deps: GatewayDeps,
  callId: string,
  { waitMs, gone }: Patience,
): AsyncGenerator<FollowedCall, void, void> {
  const watch = deps.callChanges.watch(callId);
  if (!watch) {
    throw new Problem('rate_limited', {
      detail: 'Enough requests are waiting for this call already.',
      headers: { 'Retry-After': '2' },
    });
  }
  const until = performance.now() + waitMs;
  gone.addEventListener('abort', () => watch.end(), { once: true });
  try {
    let said = '';
    for (;;) {
      const followed = await read(deps, callId);
      const { expiresAt: _, ...status } = followed.status;
      const text = JSON.stringify(status);
      if (text !== said) {
        said = text;
        yield followed;
      }
      const leftMs = until - performance.now();
      if (!isOpen(status) || leftMs <= 0 || gone.aborted || deps.callChanges.isClosed) {
        return;
      }
      await watch.next(leftMs);
    }
  } finally {
    watch.end();
  }
}

/** The answer as the call itself would have given it, its problem, or how it stands. */
export async function giveResult(deps: GatewayDeps, callId: string, patience: Patience): Promise<CallOutcome> {
  const { row, status, settlement } = await getFollowed(deps, callId, patience);
  const settled = settlement ? { settlement } : {};
  if (isOpen(status)) {
    return { kind: 'accepted', status, ...settled };
  }
  if (status.problem === null) {
    return giveKept(deps, callId, fromStoredPayment(row.payment));
  }
  const problem = toEndedProblem(status.problem);
  const { charged, receipt } = status;
  const told = charged === null ? {} : { charged };
  return {
    kind: 'problem',
    problem,
    ...told,
    ...settled,
    ...(receipt && 'next' in receipt ? { receipt } : {}),
  };
}

async function read(deps: GatewayDeps, callId: string): Promise<FollowedCall> {
  const followed = await readStatus(deps, callId);
  if (!followed) {
    throw new Problem('not_found', { detail: 'There is no such call.' });
  }
  rerunIfOwed(deps, followed);
  return followed;
}
