import { answerFaults } from './fault-answers.ts';
import { refusalFaults } from './fault-refusals.ts';
import { streamFaults } from './fault-streams.ts';
import type { Fault } from './fault.ts';

/** Every fault by its name. */
export const faults: Readonly<Record<string, Fault>> = {
  ...Object.fromEntries(Object.entries(refusalFaults).map(([name, refusal]) => [name, { refusal }])),
  ...answerFaults,
  ...streamFaults,
  video_failed: { job: 'failed' },
  video_cancelled: { job: 'cancelled' },
  video_expired: { job: 'expired' },
  video_stuck: { job: 'stuck' },
};

export function findFault(name: string): Fault | null {
  return Object.hasOwn(faults, name) ? (faults[name] ?? null) : null;
}
