import type { Tx } from '#database/index.ts';
import type { Clock } from '#kit/index.ts';
import type { EventData } from './event.ts';
import { tell } from './tell.ts';
import type { WatchedCap } from './watch-sources.ts';

interface TellDeps {
  tx: Pick<Tx, 'query'>;
  clock: Clock;
}

/** Once a day, cap and number of it; of a cap of each resource once for each, of one of each wallet for the first. */
export async function tellCapReached(
  deps: TellDeps,
  cap: WatchedCap & Pick<EventData['spend_cap_reached'], 'heldUsd' | 'refused' | 'resources'>,
): Promise<void> {
  const { heldUsd, refused, resources, ownerId } = cap;
  const occasion = `${toOccasion(cap)}${refused.runs > 1 ? ' batch' : ''}`;
  const data = { ...toTaken(cap), heldUsd, refused, resources };
  await tell(deps, 'spend_cap_reached', [{ ownerId, subject: toSubject(cap), occasion, data }]);
}

/** What concerns all that an owner sells: told once, whichever resource met it. */
const ofAll = new Set(['platform_limit_reached', 'platform_key_down', 'beyond_creator', 'network_unreachable']);

/** Once a day, cause and resource. */
export async function tellRefused(
  deps: TellDeps,
  { ownerId, resourceId, ...data }: EventData['calls_refused'] & { ownerId: string; resourceId: string },
): Promise<void> {
  const day = new Date(deps.clock.now()).toISOString().slice(0, 10);
  const subject = ofAll.has(data.code) ? data.code : resourceId;
  await tell(deps, 'calls_refused', [{ ownerId, subject, occasion: `${day} ${data.code}`, data }]);
}

export function toSubject({ capId, scope, subjectId, isEach }: WatchedCap): string {
  return scope === 'resource' && isEach ? `${capId} ${subjectId}` : capId;
}

export function toOccasion({ day, perDayUsd }: WatchedCap): string {
  return `${day} ${perDayUsd}`;
}

export function toTaken({ scope, subject, isEach, perDayUsd, spentUsd, resetsAt }: WatchedCap) {
  return { scope, subject, isEach, perDayUsd, spentUsd, resetsAt };
}
