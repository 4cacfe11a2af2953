import type { Clock } from '#kit/index.ts';
import { noEvidence, type Outcome, type PartsEnd, type PublishedVersion, type ResourceKind } from '#resources/index.ts';
import { checkEvidence, checkOutcome, failure } from './check-outcome.ts';
import { guardParts } from './read-parts.ts';

interface ExecuteDeps {
  kinds: ReadonlyMap<string, ResourceKind>;
  clock: Clock;
  log: { error(fields: object, message: string): void };
}

export interface ExecuteContext {
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
  const onThrow = (error: unknown): PartsEnd => {
    const fields = { err: error, callId: context.callId, kind: kind.name };
    deps.log.error(fields, 'a kind of resource threw instead of answering');
    return failure({ problem: 'upstream_failed', cause: 'internal: the kind of resource failed' }, noEvidence);
  };
  const { callId, payer, isTest } = context;
  const deadlineMs = deps.clock.now() + context.limitMs;
  const running = Promise.race([
    runKind(kind, work, { callId, payer, isTest, deadlineMs, signal: cutOff.signal }),
    cutOff.passed,
  ]);
  const outcome = await running.catch((error: unknown) => onThrow(error) as Outcome);
  if (!outcome.ok || outcome.answer.body.type !== 'parts') {
    cutOff.close();
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
  signal?.addEventListener('abort', cancel, { once: true });
  const { promise: passed, resolve } = Promise.withResolvers<Extract<Outcome, { ok: false }>>();
  const timedOut = failure(
    { problem: 'upstream_timeout', cause: 'timeout: the upstream did not finish in time' },
    noEvidence,
  );
  controller.signal.addEventListener('abort', () => setTimeout(() => resolve(timedOut), LAST_WORD_MS).unref(), {
    once: true,
  });
  return {
    signal: controller.signal,
    passed,
    close: () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', cancel);
    },
  };
}
