import type { Clock } from '#kit/index.ts';
import {
  noEvidence,
  quoteVersion,
  type Failure,
  type Outcome,
  type PublishedVersion,
  type ResourceKind,
  type RunContext,
} from '#resources/index.ts';
import { checkEvidence, checkOutcome, failure } from './check-outcome.ts';
import { guardParts } from './read-parts.ts';

interface ExecuteDeps {
  kinds: ReadonlyMap<string, ResourceKind>;
  clock: Clock;
  log: { error(fields: object, message: string): void };
}

export interface ExecuteContext extends Pick<RunContext, 'report' | 'checkpoint' | 'inParts'> {
  callId: string;
  payer: string | null;
  /** The run is cut off after this time and counts as failed. */
  limitMs: number;
  isTest: boolean;
  /** Cuts the run off earlier. */
  signal?: AbortSignal;
}

interface Work {
  version: PublishedVersion;
  input: Record<string, unknown>;
}

/** A kind that heeds the signal gets this long to tell what it knows (cost, attempts). */
const LAST_WORD_MS = 250;

/**
 * Runs one version once. Whatever goes wrong comes back as a failure, also in the middle of an answer in parts, which are
 * only asked for as they are read.
 */
export async function execute(deps: ExecuteDeps, work: Work, context: ExecuteContext): Promise<Outcome> {
  const kind = deps.kinds.get(work.version.kind);
  if (!kind) {
    return failure({ problem: 'unavailable', cause: `unknown_kind: ${work.version.kind}` }, noEvidence);
  }
  const cutOff = openCutOff(context);
  const onThrow = (error: unknown): Failure => {
    const fields = { err: error, callId: context.callId, kind: kind.name };
    deps.log.error(fields, 'a kind of resource threw instead of answering');
    return failure({ problem: 'upstream_failed', cause: 'internal: the kind of resource failed' }, noEvidence);
  };
  const { callId, payer, isTest, inParts = false, report, checkpoint } = context;
  const deadlineMs = deps.clock.now() + context.limitMs;
  const running = Promise.race([
    runKind(kind, work, {
      callId,
      payer,
      isTest,
      inParts,
      deadlineMs,
      signal: cutOff.signal,
      ...(report ? { report } : {}),
      ...(checkpoint ? { checkpoint } : {}),
      quoteWorst: async () => (await quoteVersion(deps, work.version))?.worstUsd ?? null,
    }),
    cutOff.passed,
  ]);
  const outcome = await running.catch(onThrow);
  if (!outcome.ok || outcome.answer.body.type !== 'parts') {
    cutOff.close(outcome.ok);
    return outcome;
  }
  const parts = guardParts(outcome.answer.body.parts, {
    cutOff: cutOff.passed,
    checkEnd: (end) => ({ ...end, evidence: checkEvidence(kind, end.evidence) }),
    onThrow,
    close: cutOff.close,
  });
  return { ...outcome, answer: { ...outcome.answer, body: { type: 'parts', parts } } };
}

async function runKind(kind: ResourceKind, work: Work, context: Parameters<ResourceKind['run']>[2]): Promise<Outcome> {
  return checkOutcome(kind, await kind.run(work.version, work.input, context));
}

/** Time and cancellation in one signal. `passed` resolves also where a kind does not heed the signal. */
function openCutOff({ limitMs, signal }: ExecuteContext) {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new Error('timeout')), limitMs);
  const cancel = (): void => controller.abort(new Error('cancelled'));
  const release = (): void => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', cancel);
  };
  const { promise: passed, resolve } = Promise.withResolvers<Failure>();
  const timedOut = failure(
    { problem: 'upstream_timeout', cause: 'timeout: the upstream did not finish in time' },
    noEvidence,
  );
  const onAbort = (): void => {
    release();
    setTimeout(() => resolve(timedOut), LAST_WORD_MS).unref();
  };
  controller.signal.addEventListener('abort', onAbort, { once: true });
  signal?.addEventListener('abort', cancel, { once: true });
  if (signal?.aborted) {
    cancel();
  }
  return {
    signal: controller.signal,
    passed,
    /** Nothing more is wanted of the run: what of it still goes on, because it did not end itself, is told to stop. */
    close: (hasEnded: boolean) => {
      release();
      controller.signal.removeEventListener('abort', onAbort);
      if (!hasEnded) {
        controller.abort(new Error('not wanted'));
      }
    },
  };
}
