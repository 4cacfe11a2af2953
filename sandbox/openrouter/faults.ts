import { answerFaults } from './fault-answers.ts';
import { refusalFaults } from './fault-refusals.ts';
import { streamFaults } from './fault-streams.ts';
import type { Fault } from './fault.ts';
import { refuse } from './refusal.ts';

/** Every fault of a chat, and of what has no work, by its name. */
export const faults: Readonly<Record<string, Fault>> = {
  ...Object.fromEntries(Object.entries(refusalFaults).map(([name, refusal]) => [name, { refusal }])),
  ...answerFaults,
  ...streamFaults,
};

/** Of what makes media: a picture that a provider failed to make, and how jobs end that make films. */
const mediaFaults: Readonly<Record<string, Fault>> = {
  images_502: {
    refusal: refuse(502, 'Image generation failed', {
      error_type: 'provider_unavailable',
      provider_name: 'Simulated',
    }),
  },
  images_stream_error: { breaksPictures: true },
  video_failed: { job: 'failed' },
  video_cancelled: { job: 'cancelled' },
  video_expired: { job: 'expired' },
  video_stuck: { job: 'stuck' },
};

export function findFault(name: string): Fault | null {
  const known = { ...faults, ...mediaFaults };
  return Object.hasOwn(known, name) ? (known[name] ?? null) : null;
}
