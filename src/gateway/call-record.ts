import { formatUsdc } from '#kit/index.ts';
import { noEvidence } from '#execution/index.ts';
import type { Offer, Payment } from '#payments/index.ts';
import type { Evidence, PublishedVersion } from '#resources/index.ts';
import type { CallRecord } from '#usage/index.ts';
import type { Receipt } from './call-request.ts';

/** A call that holds a payment, from its claim to its end. */
export interface PaidCall {
  callId: string;
  requestId: string;
  clientAddress: string;
  version: PublishedVersion;
  payment: Payment;
  offer: Offer;
  startedAt: number;
}

/** What the usage log and the receipt need once the outcome is known; stored with the answer before money moves. */
export interface StoredRecord {
  record: Omit<CallRecord, 'amountAtomic' | 'at'> & { amountAtomic: string; at: string };
  receipt: Omit<Receipt, 'transaction' | 'at'>;
}

interface Ending {
  status: CallRecord['status'];
  problem?: string;
  cause?: string;
  evidence?: Evidence;
  endedAt: number;
}

/** The usage row of a paid call; the amount stays zero until the payment is settled. */
export function toCallRecord(call: PaidCall, ending: Ending): CallRecord {
  const { attempts: _attempts, ...evidence } = ending.evidence ?? noEvidence;
  return {
    ...evidence,
    callId: call.callId,
    requestId: call.requestId,
    resourceId: call.version.resourceId,
    versionId: call.version.versionId,
    version: call.version.version,
    ownerId: call.version.ownerId,
    payer: call.payment.payer,
    callerUserId: null,
    status: ending.status,
    problem: ending.problem ?? null,
    cause: ending.cause ?? null,
    latencyMs: Math.round(ending.endedAt - call.startedAt),
    amountAtomic: 0n,
    network: call.offer.network,
    transaction: null,
    isTest: false,
    isFree: false,
    at: new Date(ending.endedAt),
  };
}

export function toStoredRecord(call: PaidCall, record: CallRecord, resource: string): StoredRecord {
  return {
    record: { ...record, amountAtomic: call.offer.amountAtomic.toString(), at: record.at.toISOString() },
    receipt: {
      paidUsdc: formatUsdc(call.offer.amountAtomic),
      network: call.offer.network,
      payer: call.payment.payer,
      resource,
      version: call.version.version,
      callId: call.callId,
    },
  };
}
