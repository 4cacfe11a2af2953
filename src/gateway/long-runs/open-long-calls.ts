import type { Json } from '#kit/index.ts';
import type { CallOutcome, CallStatus } from '../call-request.ts';
import type { GatewayDeps } from '../gateway-deps.ts';
import { cancelCall } from './cancel-call.ts';
import { followCall, getFollowed, giveResult, type Patience } from './follow-call.ts';
import { assertBuyer, declareStatusSignIn, type Proof } from './prove-buyer.ts';
import { resumeRuns } from './resume-runs.ts';
import { sendCallbacks } from './send-callbacks.ts';
import { cutOffEnded } from './watch-calls.ts';

/** What buyers do with calls that are carried out behind their 202; all but `assertBuyer` is for who has passed it. */
export interface LongCalls {
  /** Throws `unauthenticated`, in the same words whether there is such a call or not. */
  assertBuyer(callId: string, proof: Proof): Promise<void>;
  /** What a wallet may sign to show that it has paid for the call. */
  declareSignIn(callId: string): { [name: string]: Json };
  /** How it stands once it has ended, or the time is over. */
  getStatus(callId: string, patience: Patience): Promise<CallStatus>;
  /** How it stands, and each change until it has ended or this process stops. */
  follow(callId: string, gone: AbortSignal): AsyncGenerator<CallStatus, void, void>;
  giveResult(callId: string, patience: Patience): Promise<CallOutcome>;
  /** How it stands then, or why it is too late. */
  cancel(callId: string): Promise<CallOutcome>;
  /** Something of a call has changed, in whichever process; nothing named: of any. */
  onChanged(callId?: string): void;
  /** Goes on with the unpaid runs of processes that died; to be called every few seconds by a job. */
  resumeRuns(): Promise<number>;
  /** The same for callbacks that are due. */
  sendCallbacks(): Promise<number>;
  /** Lets go whoever waits: this process stops. */
  stopWaiting(): void;
}

export function openLongCalls(deps: GatewayDeps): LongCalls {
  cutOffEnded(deps);
  return {
    assertBuyer: (callId, proof) => assertBuyer(deps, callId, proof),
    declareSignIn: (callId) => declareStatusSignIn(deps, callId),
    getStatus: async (callId, patience) => (await getFollowed(deps, callId, patience)).status,
    follow: async function* (callId, gone) {
      for await (const { status } of followCall(deps, callId, { waitMs: A_DAY_MS, gone })) {
        yield status;
      }
    },
    giveResult: (callId, patience) => giveResult(deps, callId, patience),
    cancel: (callId) => cancelCall(deps, callId),
    onChanged: (callId) => deps.callChanges.tell(callId),
    resumeRuns: () => resumeRuns(deps),
    sendCallbacks: () => sendCallbacks(deps),
    stopWaiting: () => deps.callChanges.close(),
  };
}

/** Longer than any run; a reader that has gone ends it before. */
const A_DAY_MS = 86_400_000;
