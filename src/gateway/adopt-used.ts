import { findUse } from '#payments/index.ts';
import { adoptTransfer } from './adopt-transfer.ts';
import { askForProof, isBuyer } from './buyer-proof.ts';
import type { CallOutcome } from './call-request.ts';
import type { PaidCall } from './call-record.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { listReleased } from './list-released.ts';
import { isOwnUse, ownSince } from './own-use.ts';
import { buyerUnproven, chainUnreachable, heldByAnother } from './public-problem.ts';
import { refusePayment } from './refuse-payment.ts';
import type { Paid } from './settle-call.ts';

type UsedPayment = { kind: 'paid'; paid: Paid } | { kind: 'refused' | 'unknown' | 'moved'; outcome: CallOutcome };

/**
 * A payment that was used when its call was verified, and that no other call holds. claimed -> fulfilling where the chain
 * shows its transfer, in the time in which it can have been meant for this call: it is paid, whoever sent it.
 */
export async function adoptUsed(deps: GatewayDeps, call: PaidCall, reason: string): Promise<UsedPayment> {
  const { offer, payment } = call;
  const use = await findUse(deps.payments, payment, { offer, since: ownSince(call) });
  if (use.status === 'unknown') {
    return { kind: 'unknown', outcome: chainUnreachable() };
  }
  if (use.status !== 'settled') {
    return { kind: 'refused', outcome: refusePayment(deps, call, reason) };
  }
  const { transaction } = use;
  if (!(await isOwnUse(deps, call, use.atMs))) {
    const detail = `This payment was used in transaction ${transaction} before this request and cannot buy here. Sign a new payment.`;
    return { kind: 'refused', outcome: { ...refusePayment(deps, call, reason), detail } };
  }
  const unproven = await findUnproven(deps, call, { transaction, usedAtMs: use.atMs, reason });
  if (unproven) {
    return { kind: 'refused', outcome: unproven };
  }
  const adopted = await adoptTransfer(deps, call, { from: 'claimed', transaction });
  if (adopted.kind !== 'paid') {
    return { kind: 'moved', outcome: heldByAnother() };
  }
  deps.log.info({ callId: call.callId, transaction }, 'a call was paid before it came');
  return adopted;
}

/**
 * A call that held the payment while nobody had used it was its buyer's, and everybody can read the payment now: whoever
 * takes it up has to show to be the same.
 */
async function findUnproven(
  deps: GatewayDeps,
  call: PaidCall,
  { transaction, usedAtMs, reason }: { transaction: string; usedAtMs: number; reason: string },
): Promise<CallOutcome | null> {
  const { shown } = call;
  const released = await listReleased(deps, call.payment);
  const before = released.filter(
    (held) => held.state === 'failed' || (held.reason !== reason && held.created_at.getTime() <= usedAtMs),
  );
  const [first] = before;
  if (!first || !shown) {
    return null;
  }
  const asking = { ...call, shown };
  for (const held of before) {
    if (await isBuyer(deps, held, asking)) {
      return null;
    }
  }
  return { ...buyerUnproven(transaction), proof: askForProof(deps, first, { asking, transaction }) };
}
