import { formatUsdc } from '#kit/index.ts';
import type { Offer, Payment } from '#payments/index.ts';
import {
  noEvidence,
  type Evidence,
  type PublishedVersion,
  type SettlementPoint,
  type UseMeasure,
} from '#resources/index.ts';
import type { CallRecord, MeasuredBy } from '#usage/index.ts';
import type { EventsAsked, Receipt } from './call-request.ts';
import type { Shown } from './buyer-proof.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { resourceUrl } from './offer-version.ts';

/** A call that holds a payment, from its claim to its end. */
export interface PaidCall {
  callId: string;
  requestId: string;
  clientAddress: string;
  version: PublishedVersion;
  payment: Payment;
  offer: Offer;
  settlementPoint: SettlementPoint;
  /** When the version was published whose offer it is. */
  offeredAt: Date;
  /** As the version's schema has read it. */
  input: Record<string, unknown>;
  /** Of the request that holds the payment. */
  fingerprint: string;
  /** What its request has shown to be its buyer; absent where another process made the call. */
  shown?: Shown;
  /** Which of the runs of a paid call this is; the first is 1. */
  run: number;
  /** What this run is counted with, in USD, where earlier runs of the paid call have cost something already. */
  reservedUsd?: string;
  /** Told with the first answer; only the request that claimed the payment has it. */
  answerToken?: string;
  /** It is answered with 202 and carried out behind it. */
  isLong?: true;
  /** Of its request: in what form its answer is wanted, and when its client has gone. */
  events?: EventsAsked | undefined;
  gone?: AbortSignal | undefined;
  /** Told once its row holds what any process needs to carry it on. */
  onUnderWay?: () => void;
  startedAt: number;
}

/** The same call where it is paid before it runs, whatever its version says. */
export function toPaidFirst(call: PaidCall): PaidCall {
  return { ...call, settlementPoint: 'upfront', offer: { ...call.offer, paymentFlow: 'upfront' } };
}

/** What the usage log and the receipt need once the outcome is known; stored with the answer before money moves. */
export interface StoredRecord {
  record: Omit<CallRecord, 'amountAtomic' | 'at'> & { amountAtomic: string; at: string };
  receipt: Omit<Receipt, 'transaction' | 'at'>;
  /** Of the version: the longest that a run takes. */
  timeoutSeconds: number;
  /** In what form the answer is made when the call is run again. */
  settlementPoint?: SettlementPoint;
}

interface Ending {
  status: CallRecord['status'];
  problem?: string;
  cause?: string;
  evidence?: Evidence;
  endedAt: number;
}

/** What the usage log keeps of any call, paid or not. */
export interface LoggedCall {
  callId: string;
  requestId: string;
  version: Pick<PublishedVersion, 'resourceId' | 'versionId' | 'version' | 'ownerId' | 'useMeasure'>;
  /** Whose payment it holds, on which network; absent where nobody pays. */
  paid?: { payer: string; network: string; amountAtomic?: bigint };
  /** Who is signed in, where that was asked. */
  callerUserId?: string | null;
  isTest?: boolean;
  startedAt: number;
}

/** The row of a call in the usage log; the amount stays zero until a payment is settled. */
export function toCallRecord(call: LoggedCall, ending: Ending): CallRecord {
  const { resourceId, versionId, version, ownerId, useMeasure } = call.version;
  const isTest = call.isTest ?? false;
  return {
    ...toLogged(ending.evidence ?? noEvidence),
    callId: call.callId,
    requestId: call.requestId,
    resourceId,
    versionId,
    version,
    ownerId,
    payer: call.paid?.payer ?? null,
    callerUserId: call.callerUserId ?? null,
    status: ending.status,
    problem: ending.problem ?? null,
    cause: ending.cause ?? null,
    latencyMs: Math.round(ending.endedAt - call.startedAt),
    amountAtomic: 0n,
    network: call.paid?.network ?? null,
    transaction: null,
    isTest,
    isFree: call.paid === undefined && !isTest,
    ...(useMeasure ? { measuredBy: toMeasure(useMeasure, call.paid?.amountAtomic) } : {}),
    at: new Date(ending.endedAt),
  };
}

/** What is measured of a call is never more than what its own payment is for. */
function toMeasure(useMeasure: UseMeasure, mostAtomic: bigint | undefined): MeasuredBy {
  const { isCharged: _, ...measure } = useMeasure;
  return mostAtomic === undefined ? measure : { ...measure, maxUsdc: formatUsdc(mostAtomic) };
}

/** The same of a call that holds a payment. */
export function toPaidRecord(call: PaidCall, ending: Ending): CallRecord {
  const { payer } = call.payment;
  return toCallRecord(
    { ...call, paid: { payer, network: call.offer.network, amountAtomic: call.offer.amountAtomic } },
    ending,
  );
}

/** Evidence as the usage log takes it. */
export function toLogged({ own, ...common }: Evidence): Omit<Evidence, 'own'> & { evidence: Evidence['own'] } {
  return { ...common, evidence: own };
}

/** Of a call that succeeds, as it is stored before its money moves. */
export function toStoredRecord(
  deps: Pick<GatewayDeps, 'clock' | 'publicUrl'>,
  call: PaidCall,
  evidence: Evidence,
): StoredRecord {
  const { offer, version } = call;
  const record = toPaidRecord(call, { status: 'success', evidence, endedAt: deps.clock.now() });
  return {
    record: { ...record, amountAtomic: offer.amountAtomic.toString(), at: record.at.toISOString() },
    receipt: toReceiptParts(deps, call),
    timeoutSeconds: version.timeoutSeconds,
    settlementPoint: call.settlementPoint,
  };
}

/** What a receipt says before it is known what became of the payment. */
export function toReceiptParts(
  deps: Pick<GatewayDeps, 'publicUrl'>,
  call: Pick<PaidCall, 'callId' | 'offer' | 'payment' | 'version'>,
): StoredRecord['receipt'] {
  const { callId, offer, payment, version } = call;
  return {
    paidUsdc: formatUsdc(offer.amountAtomic),
    network: offer.network,
    payer: payment.payer,
    resource: resourceUrl(deps.publicUrl, version),
    version: version.version,
    callId,
  };
}
