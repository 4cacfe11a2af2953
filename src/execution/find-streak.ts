import type { PublishedVersion, RunContext } from '#resources/index.ts';
import type { ExecutionDeps } from './execution-deps.ts';
import { failureRules } from './failure-rules.ts';

/** So many runs in a row, this one included, refused for what no other call will change. */
const LENGTH = 5;
/** One payer alone could have found an input that is refused. */
const LEAST_PAYERS = 2;
const WITHIN_MS = 86_400_000;

const lasting: ReadonlySet<string> = new Set(
  failureRules.filter(({ pause }) => pause === 'streak').map(({ code }) => code),
);

/**
 * Is this refusal the last of a row over all processes? Asked only where a run was refused in a way that does not pass by
 * itself. Runs that end at the same moment do not see each other: the next one does.
 */
export async function isStreak(
  deps: Pick<ExecutionDeps, 'listLastRuns' | 'clock'>,
  { resourceId, versionId }: Pick<PublishedVersion, 'resourceId' | 'versionId'>,
  { callId, payer, isTest }: Pick<RunContext, 'callId' | 'payer' | 'isTest'>,
): Promise<boolean> {
  if (isTest) {
    return false;
  }
  const since = new Date(deps.clock.now() - WITHIN_MS);
  const before = await deps.listLastRuns({ resourceId, versionId, exceptCallId: callId, limit: LENGTH - 1, since });
  const payers = new Set([payer, ...before.map((run) => run.payer)].filter((one) => one !== null));
  const isUnbroken = before.every(({ status, cause }) => status !== 'success' && isLasting(cause));
  return before.length === LENGTH - 1 && isUnbroken && payers.size >= LEAST_PAYERS;
}

function isLasting(cause: string | null): boolean {
  return cause !== null && lasting.has(cause.split(':')[0] ?? '');
}
