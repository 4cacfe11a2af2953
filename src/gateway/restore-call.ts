import { parseExactJson } from '#kit/index.ts';
import { fromStoredOffer, fromStoredPayment, type StoredOffer, type StoredPayment } from '#payments/index.ts';
import { toBatch, type PublishedVersion, type SettlementPoint } from '#resources/index.ts';
import type { PaidCall, StoredRecord } from './call-record.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { originOf } from './offer-version.ts';

/** What the row of a call tells of it, in whichever process. */
export interface CallRow {
  request_id: string;
  fingerprint: string;
  settlement_point: SettlementPoint | null;
  offered_at: Date | null;
  payment: StoredPayment;
  offer: StoredOffer;
  /** As JSON; null where it was forgotten or never kept. */
  input: string | null;
  record: string | null;
  runs: number;
  runs_long: boolean;
  is_batch: boolean;
}

export const callColumns =
  'request_id, fingerprint, settlement_point, offered_at, payment, offer, input, record, runs, runs_long, is_batch';

/** A call whose input may be known no more. */
export type RestoredCall = Omit<PaidCall, 'input'> & { input: PaidCall['input'] | null };

export function restoreCall(
  deps: Pick<GatewayDeps, 'clock' | 'publicUrl' | 'payments' | 'kinds'>,
  { callId, version: found, row }: { callId: string; version: PublishedVersion; row: CallRow },
): RestoredCall {
  const version = row.is_batch ? toBatch(found) : found;
  const offer = fromStoredOffer(row.offer);
  const input = row.input === null ? null : (parseExactJson(row.input) as Record<string, unknown>);
  const origin = originOf(deps, version, { offer, input: input ?? undefined });
  const record = row.record === null ? null : (JSON.parse(row.record) as StoredRecord);
  return {
    callId,
    requestId: row.request_id,
    clientAddress: 'unknown',
    fingerprint: row.fingerprint,
    version,
    payment: fromStoredPayment(row.payment),
    offer,
    settlementPoint: record?.settlementPoint ?? row.settlement_point ?? origin.settlementPoint,
    offeredAt: row.offered_at ?? origin.offeredAt,
    input,
    run: row.runs,
    ...(row.runs_long ? { isLong: true } : {}),
    startedAt: deps.clock.now(),
  };
}
