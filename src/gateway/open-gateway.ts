import { openLimiter } from '#database/index.ts';
import { gather, newId, type Problem } from '#kit/index.ts';
import { recordUnpaid, type CallRecord } from '#usage/index.ts';
import { adoptTransfers, recheckSettled } from './adopt-transfers.ts';
import { findBodyLimit } from './body-limit.ts';
import { callInForm } from './call-in-form.ts';
import { carryOnOwed } from './carry-on.ts';
import type { CallOutcome, CallRequest } from './call-request.ts';
import type { Challenge, WatchedCalls } from '#payments/index.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { openCallChanges } from './long-runs/call-changes.ts';
import { openLongCalls, type LongCalls } from './long-runs/open-long-calls.ts';
import { handOver } from './long-runs/resume-runs.ts';
import { getCallable, type Callable } from './get-callable.ts';
import { keepStreams } from './keep-streams.ts';
import { noteDeliveries } from './note-deliveries.ts';
import { expireAnswers } from './expire-answers.ts';
import { openCaps } from './hold-spend.ts';
import { findChallenge } from './offer-version.ts';
import { quoteCall, type Quoted, type QuoteRequest } from './quote-call.ts';
import { refuseEarly } from './refuse-early.ts';
import { rememberReadiness } from './remember-readiness.ts';
import { rememberNews, type OwnerNews } from './tell-owner.ts';
import { beat, forgetProcess, reconcileCalls, resolveAllPending } from './reconcile-calls.ts';

const BEAT_EVERY_MS = 3_000;

/** Each is up to three questions to the chain. Of one client's network, for payments that its payer's key did not sign. */
const LOOK_UPS_PER_MINUTE = 20;

const RECORDED_TOGETHER = 100;

export interface Gateway extends WatchedCalls {
  call(request: CallRequest): Promise<CallOutcome>;
  /** What is said of a request that was refused before its payment was looked at. */
  refuseEarly(payment: CallRequest['payment'], problem: Problem): Promise<CallOutcome & { kind: 'problem' }>;
  /** What a call would cost and whether it would be answered; nothing runs. */
  quote(asked: QuoteRequest): Promise<Quoted>;
  /** Why calls of what is published are refused now; null: they are not. */
  findRefusal(resourceId: string): Promise<string | null>;
  /** The ready 402 of a priced resource in memory: what an unpaid request gets, with no work at all. */
  findChallenge(named: { creator: string; slug: string; version?: number }): Challenge | null;
  /** The resource that a request names, for surfaces that translate one. Throws `not_found`. */
  getCallable(target: CallRequest['target']): Promise<Callable>;
  /** The most bytes that the body of a call of this resource may have. */
  findBodyLimit(named: { creator: string; slug: string; version?: number; isBatch?: true }): Promise<number>;
  /** To be called when keys or models may have changed, here or in another process. */
  forgetReadiness(): void;
  /** Has more of some stream been kept, here or in another process? To be called with each notification on STREAMS_KEPT. */
  onStreamsKept(): void;
  /** The answer of a paid call has left: settled -> delivered, written down a moment later. */
  markDelivered(callId: string): void;
  /** Moves on overdue calls and those of dead processes; to be called every few seconds by a job. */
  reconcile(): Promise<number>;
  /** Asks the chain about calls whose settlement is not known; to be called every few seconds by another job. */
  resolvePending(): Promise<number>;
  /** Runs again what is paid and owed; to be called every few seconds by a third job. */
  carryOnOwed(): Promise<number>;
  expireAnswers(retentionSeconds: number): Promise<number>;
  /** Calls that are carried out behind their 202. */
  long: LongCalls;
  /** Waits for calls that are being carried out, then says that this process is gone. */
  close(): Promise<void>;
}

/** Opens the gateway of this process and takes over what a process before it left behind. */
export async function openGateway(
  given: Omit<
    GatewayDeps,
    | 'processId'
    | 'inFlight'
    | 'lookUps'
    | 'readiness'
    | 'news'
    | 'reruns'
    | 'longRuns'
    | 'callChanges'
    | 'streams'
    | 'recordUnpaid'
  > & { news?: OwnerNews },
): Promise<Gateway> {
  const news = rememberNews(given);
  const deps: GatewayDeps = {
    ...given,
    news,
    processId: newId(),
    inFlight: new Map(),
    lookUps: openLimiter({ name: 'look-ups', points: LOOK_UPS_PER_MINUTE, seconds: 60 }),
    readiness: rememberReadiness({
      ...given,
      askCaps: openCaps({ ...given, news }),
      isPayable: ({ network }) => given.payments.chains.has(network),
    }),
    reruns: new Set(),
    longRuns: new Map(),
    callChanges: openCallChanges(),
    streams: keepStreams(given),
    recordUnpaid: gather(async (records: readonly CallRecord[]) => {
      await recordUnpaid(given.database.system, records);
      return records;
    }, RECORDED_TOGETHER),
  };
  const long = openLongCalls(deps);
  const deliveries = noteDeliveries(deps);
  await beat(deps);
  const timer = setInterval(() => {
    beat(deps).catch((error: unknown) => deps.log.error({ err: error }, 'could not tell that this process is alive'));
  }, BEAT_EVERY_MS);
  timer.unref();
  return {
    call: (request) => callInForm(deps, request),
    refuseEarly: (payment, problem) => refuseEarly(deps, payment, problem),
    quote: (asked) => quoteCall(deps, asked),
    findRefusal: async (resourceId) => {
      const version = await deps.published.findById(resourceId);
      const readiness = version && (await deps.readiness.recall(version));
      return readiness?.ready === false ? readiness.cause : null;
    },
    findChallenge: (named) => findChallenge(deps, named),
    getCallable: (target) => getCallable(deps, target),
    findBodyLimit: (named) => findBodyLimit(deps, named),
    forgetReadiness: () => deps.readiness.forget(),
    onStreamsKept: () => deps.streams.onKept(),
    markDelivered: (callId) => deliveries.note(callId),
    reconcile: () => reconcileCalls(deps),
    resolvePending: () => resolveAllPending(deps),
    carryOnOwed: () => carryOnOwed(deps),
    adoptTransfers: (network, transfers) => adoptTransfers(deps, network, transfers),
    recheckSettled: (callId) => recheckSettled(deps, callId),
    expireAnswers: (retentionSeconds) => expireAnswers(deps, retentionSeconds),
    long,
    close: async () => {
      await handOver(deps);
      // What is paid at its first output becomes another piece of work on the way.
      while (deps.inFlight.size > 0) {
        await Promise.allSettled(deps.inFlight.values());
      }
      await deliveries.flush();
      clearInterval(timer);
      await forgetProcess(deps);
    },
  };
}
