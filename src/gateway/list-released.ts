import { isSamePayment, type Payment } from '#payments/index.ts';
import type { HeldCall } from './claim.ts';
import type { GatewayDeps } from './gateway-deps.ts';

export type ReleasedCall = HeldCall & { reason: string | null; created_at: Date };

/** By the index of the calls that released their payment. */
const select = `
  SELECT id, fingerprint, payment, state, buyer_proofs, reason, created_at FROM calls
  WHERE network = $1 AND asset = $2 AND payer = $3 AND uniqueness_key = $4 AND state IN ('refused', 'failed')
  ORDER BY state = 'failed' DESC, created_at DESC LIMIT 20`;

/**
 * Calls that held this very payment, signature and all, and have released it: first those that were worked for, the newest
 * first.
 */
export async function listReleased(
  { database }: Pick<GatewayDeps, 'database'>,
  payment: Payment,
): Promise<ReleasedCall[]> {
  const { network, asset, payer, uniquenessKey } = payment;
  const { rows } = await database.system.query<ReleasedCall>({
    name: 'calls_released',
    text: select,
    values: [network, asset, payer, uniquenessKey],
  });
  return rows.filter((call) => isSamePayment(call.payment, payment));
}
