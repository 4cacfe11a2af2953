import type { Offer } from '../offer.ts';
import { reasons } from '../schemes/exact-eip3009.ts';
import type { Inspection } from './chain-reader.ts';

/** Why the chain would refuse the payment now, or `null`. In the order in which the SDK diagnoses a failed simulation. */
export function judgeInspection(inspection: Inspection, offer: Offer): string | null {
  if (inspection.isUsed) {
    return reasons.nonceUsed;
  }
  if (inspection.revert === null) {
    return null;
  }
  if (inspection.balanceAtomic < offer.amountAtomic) {
    return reasons.balance;
  }
  // The last block of a quiet chain may be old; our own clock has checked the window, and the next block is later.
  return /not yet valid/i.test(inspection.revert) ? null : reasons.simulation;
}
