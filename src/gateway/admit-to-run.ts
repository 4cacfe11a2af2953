import type { Pool, PoolClient } from 'pg';
import { isAuthentic } from '#payments/index.ts';
import { noEvidence } from '#resources/index.ts';
import { toPaidFirst, toStoredRecord, type PaidCall } from './call-record.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { inTurn } from './in-turn.ts';
import { readStanding, type Standing } from './read-standing.ts';
import { SETTLE_MARGIN_MS } from './settle-call.ts';
import { moveToSettling, transition } from './transitions.ts';
import { gasLimits, trustLimits } from './trust-limits.ts';
import type { Unadmitted } from './unadmitted.ts';

type AdmitDeps = Pick<GatewayDeps, 'database' | 'payments' | 'kinds' | 'clock' | 'publicUrl'>;

/**
 * `settling`: to be paid before it runs. `taken`: somebody else has moved the call on. `unclear`: whether the balance covers
 * it shows when what the wallet has sent to the chain is booked; the call stands where it stood.
 */
export type Admitted = 'running' | 'settling' | 'taken' | 'unclear' | Unadmitted;

interface Run {
  /** The payer's, as the chain just told; absent where only a facilitator saw the chain. */
  balanceAtomic: bigint | undefined;
  deadlineInMs: number;
  /** May it be asked again with newer figures? Otherwise what is not clear is not covered. */
  mayWait?: boolean;
}

/**
 * claimed -> running where the call may be worked on before it is paid, else claimed -> settling. Every row is there
 * before its check and counts in it: of calls that are checked at the same time, whichever is checked last sees all
 * others, so together they never exceed a bound, in however many processes. Calls of one wallet that do not fit together
 * take turns, so that as many as fit are not held back by the rest.
 */
export async function admitToRun(deps: AdmitDeps, call: PaidCall, run: Run): Promise<Admitted> {
  const { system } = deps.database;
  const standing = await readStanding(system, call);
  const alone = judge(deps, call, { run, standing });
  const isAlwaysFirst = call.settlementPoint === 'upfront';
  // Taking turns helps only where other calls of the same wallet may give way.
  if (alone === 'running' || (alone === 'settling' && (isAlwaysFirst || standing.open === 1))) {
    return move(deps, system, { call, to: alone, run });
  }
  return inTurn(deps.database, call.payment.payer, () => admitAlone(deps, call, run));
}

function admitAlone(deps: AdmitDeps, call: PaidCall, run: Run): Promise<Admitted> {
  return deps.database.transaction(async (tx) => {
    await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 402))', [call.payment.payer]);
    const verdict = judge(deps, call, { run, standing: await readStanding(tx, call) });
    if (verdict === 'running' || verdict === 'settling') {
      return move(deps, tx, { call, to: verdict, run });
    }
    if (verdict === 'unclear') {
      return verdict;
    }
    // Released before the next one's turn.
    return (await transition(tx, { callId: call.callId, name: 'refuse' }, { reason: verdict })) ? verdict : 'taken';
  });
}

function judge(
  deps: Pick<GatewayDeps, 'payments' | 'kinds'>,
  call: PaidCall,
  { run, standing }: { run: Run; standing: Standing },
): Exclude<Admitted, 'taken'> {
  const { reverted, revertedOfClient, beyond, openAtomic, sentAtomic } = standing;
  if (reverted >= gasLimits.revertedPerWallet) {
    return 'too_many_reverted';
  }
  // Whoever signs with the key of a wallet is counted by that wallet; the code of a contract is anybody's.
  if (!isAuthentic(deps.payments, call.payment, call.offer)) {
    if (revertedOfClient >= gasLimits.revertedPerClient) {
      return 'network_reverted';
    }
    if (isCrowded(standing)) {
      return 'one_at_a_time';
    }
  }
  // What the wallet cannot pay together with the rest would only burn gas, whenever it is sent.
  if (run.balanceAtomic !== undefined && openAtomic > run.balanceAtomic && standing.open > 1) {
    const isCertain = openAtomic - sentAtomic > run.balanceAtomic;
    return isCertain || run.mayWait !== true ? 'exceeds_balance' : 'unclear';
  }
  if (call.settlementPoint === 'upfront') {
    return 'settling';
  }
  if (beyond === null) {
    return 'running';
  }
  return maySettleFirst(deps, call) ? 'settling' : `beyond_${beyond}`;
}

/** A payer who says in so many words that the money is to move last is not charged first. */
function maySettleFirst({ kinds }: Pick<GatewayDeps, 'kinds'>, { version, payment }: PaidCall): boolean {
  const isWanted = payment.accepted?.extra?.['paymentFlow'] !== 'authorization';
  return isWanted && kinds.get(version.kind)?.settlementPoints?.includes('upfront') === true;
}

/** The code of a contract wallet decides whether its transaction pays or only burns gas, so it is not sent for in bulk. */
function isCrowded({ open, allowed, openOfClient }: Standing): boolean {
  return open > allowed || openOfClient > trustLimits.newcomersPerClient;
}

async function move(
  deps: AdmitDeps,
  executor: Pool | PoolClient,
  { call, to, run }: { call: PaidCall; to: 'running' | 'settling'; run: Run },
): Promise<Admitted> {
  const { callId } = call;
  const isOurs =
    to === 'running'
      ? await transition(executor, { callId, name: 'run' }, { deadlineInMs: run.deadlineInMs, ...toKept(call) })
      : await moveToSettling(
          executor,
          { callId, settlementPoint: 'upfront' },
          {
            record: toStoredRecord(deps, toPaidFirst(call), noEvidence),
            input: call.input,
            deadlineInMs: deps.payments.settleLimitMs + SETTLE_MARGIN_MS,
          },
        );
  return isOurs ? to : 'taken';
}

/** What is carried out behind its 202 is carried on by whichever process is there. */
function toKept({ isLong, input }: PaidCall): { input?: PaidCall['input'] } {
  return isLong ? { input } : {};
}
