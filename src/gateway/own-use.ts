import { isDeepStrictEqual } from 'node:util';
import { findUse, isSamePayment, reasonsOf, type StoredPayment, type Use } from '#payments/index.ts';
import type { PaidCall } from './call-record.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { offerVersion } from './offer-version.ts';

/** Clocks of buyers and chains differ. */
const SKEW_MS = 30_000;

/** Calls here that held a payment while it was unused. */
const selectEarlier = `
  SELECT payment, created_at FROM calls
  WHERE network = $1 AND asset = $2 AND payer = $3 AND uniqueness_key = $4 AND state IN ('refused', 'failed')
    AND reason IS DISTINCT FROM $5
  ORDER BY created_at LIMIT 20`;

type Asked = Pick<PaidCall, 'payment' | 'offer' | 'version'>;

/** Whether somebody has used the payment of a call that is being carried out; it was unused when the call was verified. */
export function findUseOf(deps: Pick<GatewayDeps, 'payments'>, call: PaidCall): Promise<Use> {
  return findUse(deps.payments, call.payment, { offer: call.offer, since: new Date(call.startedAt) });
}

/**
 * Whether a payment that was used before its call may buy here (docs/decisions/0022). What was signed names payee and
 * amount and no seller, so a payment that was spent elsewhere looks the same: only one that a call here held before, or
 * that fits the time of this offer, is taken.
 */
export async function isOwnUse(
  deps: Pick<GatewayDeps, 'database' | 'payments' | 'kinds' | 'publicUrl'>,
  asked: Asked,
  usedAtMs: number,
): Promise<boolean> {
  return fitsOffer(deps, asked, usedAtMs) || (await wasHeldBefore(deps, asked.payment, usedAtMs));
}

/** From when on a use of the payment is worth a search: a use before that buys nothing here. */
export function ownSince({ payment, offer }: Pick<Asked, 'payment' | 'offer'>): Date {
  return new Date(payment.expiresAt * 1000 - offer.maxTimeoutSeconds * 1000 - SKEW_MS);
}

/**
 * Whoever reads this offer signs for `maxTimeoutSeconds` at the most, and nobody could read it before it was published.
 * Chains count in seconds.
 */
function fitsOffer(
  deps: Pick<GatewayDeps, 'payments' | 'kinds' | 'publicUrl'>,
  asked: Asked,
  usedAtMs: number,
): boolean {
  const { version, offer } = asked;
  const isCurrent = offerVersion(deps, version).offers.some((known) => isDeepStrictEqual(known, offer));
  const publishedAt = isCurrent ? Math.floor(version.publishedAt.getTime() / 1000) * 1000 : 0;
  return usedAtMs >= publishedAt && usedAtMs >= ownSince(asked).getTime();
}

async function wasHeldBefore(
  deps: Pick<GatewayDeps, 'database' | 'payments'>,
  payment: PaidCall['payment'],
  usedAtMs: number,
): Promise<boolean> {
  const { rows } = await deps.database.system.query<{ payment: StoredPayment; created_at: Date }>(selectEarlier, [
    payment.network,
    payment.asset,
    payment.payer,
    payment.uniquenessKey,
    reasonsOf(deps.payments, payment).alreadyUsed,
  ]);
  return rows.some(
    (row) => Math.floor(row.created_at.getTime() / 1000) * 1000 <= usedAtMs && isSamePayment(row.payment, payment),
  );
}
