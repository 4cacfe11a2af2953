import type { GatewayDeps } from './gateway-deps.ts';

/** What this process is doing for a call: a duplicate waits for it, and so does the stop of the server. */
export function holdInFlight<T>(
  deps: Pick<GatewayDeps, 'inFlight' | 'longRuns'>,
  callId: string,
  work: Promise<T>,
): Promise<T> {
  const held = work.finally(() => {
    if (deps.inFlight.get(callId) === held) {
      deps.inFlight.delete(callId);
      deps.longRuns.delete(callId);
    }
  });
  deps.inFlight.set(callId, held);
  held.catch(() => {});
  return held;
}
