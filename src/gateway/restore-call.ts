import { parseExactJson } from '#kit/index.ts';
import { fromStoredOffer, fromStoredPayment, type StoredOffer, type StoredPayment } from '#payments/index.ts';
import type { PublishedVersion } from '#resources/index.ts';
import type { PaidCall, StoredRecord } from './call-record.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { settlementPointOf } from './offer-version.ts';

/** What the row of a call tells of it, in whichever process. */
export interface CallRow {
  request_id: string;
  payment: StoredPayment;
  offer: StoredOffer;
  /** As JSON; null where it was forgotten or never kept. */
  input: string | null;
  record: string | null;
  runs: number;
}

export const callColumns = 'request_id, payment, offer, input, record, runs';

/** A call whose input may be known no more. */
export type RestoredCall = Omit<PaidCall, 'input'> & { input: PaidCall['input'] | null };

export function restoreCall(
  deps: Pick<GatewayDeps, 'clock' | 'publicUrl' | 'payments' | 'kinds'>,
  { callId, version, row }: { callId: string; version: PublishedVersion; row: CallRow },
): RestoredCall {
  const offer = fromStoredOffer(row.offer);
  const record = row.record === null ? null : (JSON.parse(row.record) as StoredRecord);
  return {
    callId,
    requestId: row.request_id,
    clientAddress: 'unknown',
    version,
    payment: fromStoredPayment(row.payment),
    offer,
    settlementPoint: record?.settlementPoint ?? settlementPointOf(deps, version, offer),
    input: row.input === null ? null : (parseExactJson(row.input) as Record<string, unknown>),
    run: row.runs,
    startedAt: deps.clock.now(),
  };
}
