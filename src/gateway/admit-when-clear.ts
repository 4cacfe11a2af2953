import { setTimeout as wait } from 'node:timers/promises';
import { reasonsOf, verifyPayment } from '#payments/index.ts';
import { admitToRun, type Admitted } from './admit-to-run.ts';
import type { PaidCall } from './call-record.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { lastsLongEnough } from './run-limit.ts';

/** Well within the time that a call may stand in `claimed`. */
const LONGEST_WAIT_MS = 8_000;
const FIRST_WAIT_MS = 150;
const LAST_WAIT_MS = 1_000;

/**
 * Asks for admission, and again with a newer balance while payments of the same wallet are on their way: one that was mined
 * and is not booked yet would count twice, in the balance and in what is open. No connection is held meanwhile. A payment
 * that does not outlive its run any more after the wait stands where it stood.
 */
export async function admitWhenClear(
  deps: GatewayDeps,
  call: PaidCall,
  run: { balanceAtomic: bigint | undefined; deadlineInMs: number },
): Promise<Exclude<Admitted, 'unclear'> | 'expires_too_soon'> {
  const { version, settlementPoint } = call;
  const until = deps.clock.now() + LONGEST_WAIT_MS;
  let balanceAtomic = run.balanceAtomic;
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 1.5, LAST_WAIT_MS)) {
    const mayWait = deps.clock.now() + waitMs < until;
    const admitted = await admitToRun(deps, call, { ...run, balanceAtomic, mayWait });
    if (admitted !== 'unclear') {
      return admitted;
    }
    await wait(waitMs);
    balanceAtomic = await readBalance(deps, call, balanceAtomic);
    // What was asked before the wait: a run that is cut off costs its creator, and buys nobody an answer.
    if (!lastsLongEnough(deps, { ...version, settlementPoint }, call.payment)) {
      return 'expires_too_soon';
    }
  }
}

/** As it was where the chain does not say; nothing where it says that not even this payment is covered. */
async function readBalance(deps: GatewayDeps, call: PaidCall, known: bigint | undefined): Promise<bigint | undefined> {
  const verdict = await verifyPayment(deps.payments, call.payment, call.offer).catch(() => null);
  if (verdict === null || verdict.ok) {
    return verdict === null ? known : verdict.balanceAtomic;
  }
  return verdict.reason === reasonsOf(deps.payments, call.payment).exceedsBalance ? 0n : known;
}
