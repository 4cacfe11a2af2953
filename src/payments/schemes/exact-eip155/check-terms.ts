import type { Payment } from '../../payment.ts';
import type { Verdict } from '../../verdict.ts';
import type { Terms } from '../scheme.ts';
import { payloadOf } from './payload.ts';
import { reasons } from './reasons.ts';

/** Payee, window and amount, in the order in which the SDK looks at them. */
export function checkTerms(payment: Payment, terms: Terms): Verdict {
  const { offer, nowMs, marginSeconds } = terms;
  const { to, value, validAfter, validBefore } = payloadOf(payment).authorization;
  const now = BigInt(Math.floor(nowMs / 1000));
  if (to !== offer.payTo.toLowerCase()) {
    return { ok: false, reason: reasons.recipient };
  }
  if (BigInt(validBefore) < now + BigInt(marginSeconds)) {
    return { ok: false, reason: reasons.validBefore };
  }
  if (BigInt(validAfter) > now) {
    return { ok: false, reason: reasons.validAfter };
  }
  if (BigInt(value) !== offer.amountAtomic) {
    return { ok: false, reason: payment.x402Version === 1 ? reasons.valueV1 : reasons.value };
  }
  return { ok: true };
}
