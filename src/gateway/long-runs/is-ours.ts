import type { PaidCall } from '../call-record.ts';
import type { GatewayDeps } from '../gateway-deps.ts';

/** Whether this process still carries the call: one behind a 202 may have been handed over or taken over meanwhile. */
export async function isOurs(
  deps: Pick<GatewayDeps, 'database' | 'processId'>,
  { callId, isLong }: Pick<PaidCall, 'callId' | 'isLong'>,
): Promise<boolean> {
  if (!isLong) {
    return true;
  }
  const text = 'SELECT 1 FROM calls WHERE id = $1 AND process_id = $2';
  return (await deps.database.system.query(text, [callId, deps.processId])).rowCount === 1;
}
