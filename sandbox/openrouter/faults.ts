import { answerFaults } from './fault-answers.ts';
import { refusalFaults } from './fault-refusals.ts';
import { streamFaults } from './fault-streams.ts';
import type { Fault } from './fault.ts';

/** Every fault by its name. */
export const faults: Readonly<Record<string, Fault>> = {
  ...Object.fromEntries(Object.entries(refusalFaults).map(([name, refusal]) => [name, { refusal }])),
  ...answerFaults,
  ...streamFaults,
};

export function findFault(name: string): Fault | null {
  return Object.hasOwn(faults, name) ? (faults[name] ?? null) : null;
}
