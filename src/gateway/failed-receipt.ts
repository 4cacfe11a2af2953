import { formatUsdc } from '#kit/index.ts';
import type { CallOutcome, FailedReceipt, Settlement } from './call-request.ts';
import { toReceiptParts, type PaidCall, type StoredRecord } from './call-record.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { toSettlement } from './settle-call.ts';

type Told = CallOutcome & { kind: 'problem' };

/** What a call without an answer tells its buyer beside the problem. `null` where it is not known yet. */
export function toFailedReceipt(
  parts: StoredRecord['receipt'],
  { problem, charged, settlement }: Pick<Told, 'problem' | 'charged' | 'settlement'>,
  at: Date,
): FailedReceipt {
  const { paidUsdc, ...rest } = parts;
  const paid = { true: paidUsdc, false: formatUsdc(0n) };
  return {
    ...rest,
    charged: charged ?? null,
    paidUsdc: charged === undefined ? null : paid[`${charged}`],
    transaction: settlement?.transaction || null,
    at: at.toISOString(),
    next: problem.next,
  };
}

/** What the request that claimed the payment is told: it alone gets the token, and the receipt of a failure. */
export async function tellClaimant(
  deps: GatewayDeps,
  call: PaidCall,
  carrying: Promise<CallOutcome>,
): Promise<CallOutcome> {
  const outcome = await carrying;
  const { answerToken } = call;
  if (outcome.kind === 'answer') {
    return answerToken === undefined ? outcome : { ...outcome, answerToken };
  }
  // Whoever has not shown to be the buyer gets no receipt.
  if (outcome.kind !== 'problem' || outcome.proof) {
    return outcome;
  }
  const settlement = outcome.settlement ?? (await findSettlement(deps, call, outcome));
  const told = { ...outcome, ...(settlement ? { settlement } : {}) };
  const receipt = toFailedReceipt(toReceiptParts(deps, call), told, new Date(deps.clock.now()));
  return { ...told, receipt, ...(outcome.charged === false || answerToken === undefined ? {} : { answerToken }) };
}

/** A settlement that is not known has no form in the protocol: "not successful" would invite a second payment. */
async function findSettlement(
  deps: GatewayDeps,
  call: PaidCall,
  { charged, problem }: Told,
): Promise<Settlement | null> {
  if (charged === undefined) {
    return null;
  }
  if (!charged) {
    return toSettlement(call, { success: false, transaction: '', reason: problem.code });
  }
  const found = await deps.database.system
    .query<{ transaction: string | null }>('SELECT transaction FROM calls WHERE id = $1', [call.callId])
    .catch(() => null);
  const transaction = found?.rows[0]?.transaction;
  return transaction ? toSettlement(call, { success: true, transaction }) : null;
}
