import { answerFaults } from './fault-answers.ts';
import { refusalFaults } from './fault-refusals.ts';
import { streamFaults } from './fault-streams.ts';
import type { Fault } from './fault.ts';

/** Every fault of a chat, and of what has no work, by its name. */
export const faults: Readonly<Record<string, Fault>> = {
  ...Object.fromEntries(Object.entries(refusalFaults).map(([name, refusal]) => [name, { refusal }])),
  ...answerFaults,
  ...streamFaults,
};

/** How jobs end that make films; nothing else knows them. */
const jobFaults: Readonly<Record<string, Fault>> = {
  video_failed: { job: 'failed' },
  video_cancelled: { job: 'cancelled' },
  video_expired: { job: 'expired' },
  video_stuck: { job: 'stuck' },
};

export function findFault(name: string): Fault | null {
  const known = { ...faults, ...jobFaults };
  return Object.hasOwn(known, name) ? (known[name] ?? null) : null;
}
