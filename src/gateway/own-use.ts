import { findUse, type Use } from '#payments/index.ts';
import type { PaidCall } from './call-record.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { listReleased } from './list-released.ts';

/** Clocks of buyers and chains differ. */
const SKEW_MS = 30_000;

type Asked = Pick<PaidCall, 'payment' | 'offer' | 'offeredAt' | 'fingerprint'>;

/** Whether somebody has used the payment of a call that is being carried out; it was unused when the call was verified. */
export function findUseOf(deps: Pick<GatewayDeps, 'payments'>, call: PaidCall): Promise<Use> {
  return findUse(deps.payments, call.payment, { offer: call.offer, since: new Date(call.startedAt) });
}

/**
 * Whether a payment that was used before its call may buy here (docs/decisions/0022). What was signed names payee and
 * amount and no seller, so a payment that was spent elsewhere looks the same: only one that
 * fits the time of this offer, or that a call here has worked for with the same request, is taken.
 */
export async function isOwnUse(deps: Pick<GatewayDeps, 'database'>, asked: Asked, usedAtMs: number): Promise<boolean> {
  return fitsOffer(asked, usedAtMs) || (await wasWorkedFor(deps, asked, usedAtMs));
}

/** From when on a use of the payment is worth a search: a use before that buys nothing here. */
export function ownSince({ payment, offer }: Pick<PaidCall, 'payment' | 'offer'>): Date {
  return new Date(payment.expiresAt * 1000 - offer.maxTimeoutSeconds * 1000 - SKEW_MS);
}

/**
 * Whoever reads this offer signs for `maxTimeoutSeconds` at the most, and nobody could read it before it was published.
 * Chains count in seconds.
 */
function fitsOffer(asked: Asked, usedAtMs: number): boolean {
  const offeredAtMs = Math.floor(asked.offeredAt.getTime() / 1000) * 1000;
  return usedAtMs >= offeredAtMs && usedAtMs >= ownSince(asked).getTime();
}

/** What was asked of a failed call here had passed every check, so the payment was good here when it was unused. */
async function wasWorkedFor(
  deps: Pick<GatewayDeps, 'database'>,
  { payment, fingerprint, offer }: Asked,
  usedAtMs: number,
): Promise<boolean> {
  const earlier = await listReleased(deps, payment);
  return earlier.some((call) => {
    const madeAtMs = Math.floor(call.created_at.getTime() / 1000) * 1000;
    const isInTime = madeAtMs <= usedAtMs && usedAtMs <= madeAtMs + offer.maxTimeoutSeconds * 1000;
    return call.state === 'failed' && call.fingerprint === fingerprint && isInTime;
  });
}
