import type { Pool, PoolClient } from 'pg';
import { exposureOf } from '#payments/index.ts';
import type { PaidCall } from './call-record.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { transition } from './transitions.ts';

/** A wallet that let so many answers go unpaid within a day gets no more work on trust. Before `upfront` there was none. */
export const UNPAID_LIMIT = 5;

/** `taken`: somebody else has moved the call on. */
type Admitted = 'running' | 'exceeds_balance' | 'too_many_unpaid' | 'taken';

interface Run {
  /** The payer's, as the chain just told; absent where only a facilitator saw the chain. */
  balanceAtomic: bigint | undefined;
  deadlineInMs: number;
}

interface Exposure {
  /** The open amounts of the payer, this call's included. */
  open: bigint;
  unpaid: number;
}

const select = `
  SELECT coalesce(sum(amount_atomic) FILTER (WHERE state <> 'unpaid'), 0)::text AS open,
         (count(*) FILTER (WHERE state = 'unpaid' AND updated_at > now() - interval '1 day'
           AND offer->>'paymentFlow' IS DISTINCT FROM 'upfront'))::int AS unpaid
  FROM calls
  WHERE payer = $1 AND network = $2 AND asset = $3
    AND state IN ('claimed', 'running', 'settling', 'pending', 'unpaid')`;

/**
 * claimed -> running. Work is done before it is paid, so all that a payer has open must be covered by the balance.
 * Every row is there before its check: a call that sees no other one may go on at once, for whoever comes later sees it.
 * Calls that see others take turns, and each is refused while the rest does not fit.
 */
export async function admitToRun(
  deps: Pick<GatewayDeps, 'database' | 'payments'>,
  call: PaidCall,
  run: Run,
): Promise<Admitted> {
  const { system } = deps.database;
  const own = exposureOf(deps.payments, call.payment, call.offer);
  const alone = judge(await readExposure(system, call), own, run);
  if (alone === 'too_many_unpaid') {
    return alone;
  }
  if (alone === 'running') {
    return move(system, call, run);
  }
  return deps.database.transaction(async (tx) => {
    await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 402))', [call.payment.payer]);
    const verdict = judge(await readExposure(tx, call), own, run);
    if (verdict === 'running') {
      return move(tx, call, run);
    }
    // Released before the next one's turn.
    await transition(tx, { callId: call.callId, name: 'refuse' }, { reason: verdict });
    return verdict;
  });
}

/** `own`: how much this call may be charged; it alone is always admitted. */
function judge(exposure: Exposure, own: bigint, { balanceAtomic }: Run): Admitted {
  if (exposure.unpaid >= UNPAID_LIMIT) {
    return 'too_many_unpaid';
  }
  const isCovered = balanceAtomic === undefined || exposure.open <= balanceAtomic;
  return isCovered || exposure.open <= own ? 'running' : 'exceeds_balance';
}

async function move(executor: Pool | PoolClient, call: PaidCall, { deadlineInMs }: Run): Promise<Admitted> {
  return (await transition(executor, { callId: call.callId, name: 'run' }, { deadlineInMs })) ? 'running' : 'taken';
}

async function readExposure(executor: Pool | PoolClient, call: PaidCall): Promise<Exposure> {
  const { rows } = await executor.query<{ open: string; unpaid: number }>({
    name: 'calls_exposure',
    text: select,
    values: [call.payment.payer, call.offer.network, call.payment.asset],
  });
  return { open: BigInt(rows[0]?.open ?? 0), unpaid: rows[0]?.unpaid ?? 0 };
}
