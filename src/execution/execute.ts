import type { Clock } from '#kit/index.ts';
import type { Outcome, PublishedVersion, ResourceKind } from '#resources/index.ts';
import { noEvidence } from './evidence.ts';

interface ExecuteDeps {
  kinds: ReadonlyMap<string, ResourceKind>;
  clock: Clock;
  log: { error(fields: object, message: string): void };
}

interface ExecuteContext {
  callId: string;
  payer: string | null;
  /** The run is cut off after this time and counts as failed. */
  limitMs: number;
  isTest: boolean;
}

/** Runs one version once. Whatever goes wrong comes back as a failed outcome: a buyer is charged for none of it. */
export async function execute(
  deps: ExecuteDeps,
  work: { version: PublishedVersion; input: Record<string, unknown> },
  context: ExecuteContext,
): Promise<Outcome> {
  const { version, input } = work;
  const kind = deps.kinds.get(version.kind);
  if (!kind) {
    return { ok: false, problem: 'unavailable', cause: `unknown_kind: ${version.kind}`, evidence: noEvidence };
  }
  const cutOff = new AbortController();
  const timer = setTimeout(() => cutOff.abort(new Error('timeout')), context.limitMs);
  try {
    const { callId, payer, isTest } = context;
    const deadlineMs = deps.clock.now() + context.limitMs;
    const run = kind.run(version, input, { callId, payer, isTest, deadlineMs, signal: cutOff.signal });
    return await Promise.race([run, whenAborted(cutOff.signal)]);
  } catch (error) {
    deps.log.error({ err: error, callId: context.callId, kind: version.kind }, 'a kind threw instead of answering');
    return { ok: false, problem: 'upstream_failed', cause: 'internal: the kind threw', evidence: noEvidence };
  } finally {
    clearTimeout(timer);
  }
}

/** A kind that does not heed its signal must not hold the buyer's payment. */
function whenAborted(signal: AbortSignal): Promise<Outcome> {
  const outcome: Outcome = {
    ok: false,
    problem: 'upstream_timeout',
    cause: 'timeout: the upstream did not finish in time',
    evidence: noEvidence,
  };
  return new Promise((resolve) => {
    // One turn of the event loop lets a kind that does heed the signal tell what it knows (tokens, generation id).
    signal.addEventListener('abort', () => setTimeout(() => resolve(outcome), 250).unref(), { once: true });
  });
}
