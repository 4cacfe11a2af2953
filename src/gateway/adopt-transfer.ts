import { noEvidence, type Failure } from '#resources/index.ts';
import { recordCall } from '#usage/index.ts';
import { toStoredRecord } from './call-record.ts';
import { bookTransfer, paidColumns, type SettledRow } from './close-settled.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { longestRunMs, RUN_MARGIN_MS } from './run-limit.ts';
import type { RestoredCall } from './restore-call.ts';
import { toSettlement, type Paid } from './settle-call.ts';
import { transitionReturning, type State, type TransitionName } from './transitions.ts';

/**
 * The reason of a call that was paid by a transfer which we did not send. While it is owed without input it waits for its
 * buyer, whose request brings the input again.
 */
export const PAID_BY_OTHERS = 'paid_by_others';

const arrows: Partial<Record<State, TransitionName>> = {
  claimed: 'adopt',
  running: 'oweRun',
  refused: 'oweRefused',
  failed: 'oweFailed',
  unpaid: 'oweUnpaid',
};

interface Adopted {
  /** Where the call stands. */
  from: State;
  transaction: string;
  /** Of the run that has just failed. */
  failure?: Failure;
}

type Adoption = { kind: 'paid'; paid: Paid } | { kind: 'moved' } | { kind: 'held' };

/**
 * A transfer that the chain shows is this call's settlement, whoever sent it: state, ledger and usage log in one
 * transaction. A claimed call goes on to its run; any other is owed. `moved`: it stands elsewhere by now. `held`: it had
 * released its payment and another call holds it, which is then the one that is paid.
 */
export async function adoptTransfer(
  deps: Pick<GatewayDeps, 'database' | 'clock' | 'publicUrl'>,
  call: RestoredCall,
  adopted: Adopted,
): Promise<Adoption> {
  const { from, transaction, failure } = adopted;
  const name = arrows[from];
  if (!name) {
    return { kind: 'moved' };
  }
  const { callId, input } = call;
  const settled = { callId, transaction };
  const stored = toStoredRecord(deps, { ...call, input: input ?? {} }, failure?.evidence ?? noEvidence);
  try {
    return await deps.database.transaction(async (tx) => {
      const row = await transitionReturning<SettledRow & { has_answer: boolean }>(
        tx,
        { callId, name },
        {
          transaction,
          reason: PAID_BY_OTHERS,
          deadlineInMs: longestRunMs(call) + RUN_MARGIN_MS,
          // What an unpaid call cost is in its record.
          ...(from === 'unpaid' ? {} : { record: stored }),
          ...(input === null ? {} : { input }),
          columns: `${paidColumns}, answer IS NOT NULL AS has_answer`,
        },
      );
      if (!row) {
        return { kind: 'moved' };
      }
      const { receipt, record } = await bookTransfer(tx, row, settled);
      if (row.has_answer) {
        await recordCall(tx, record);
      } else if (name !== 'adopt') {
        await recordCall(tx, { ...record, ...toOwed(failure) });
      }
      return { kind: 'paid', paid: { receipt, settlement: toSettlement(call, { success: true, transaction }) } };
    });
  } catch (error) {
    if (isHeldByAnother(error)) {
      return { kind: 'held' };
    }
    throw error;
  }
}

function toOwed(failure: Failure | undefined) {
  const { problem, cause } = failure ?? {
    problem: 'answer_owed',
    cause: 'paid_by_others: somebody else sent the payment to the chain after the call had ended',
  };
  return { status: 'owed' as const, problem, cause };
}

/** The unique index over the calls that hold a payment. */
function isHeldByAnother(error: unknown): boolean {
  return error instanceof Error && 'constraint' in error && error.constraint === 'calls_claim';
}
