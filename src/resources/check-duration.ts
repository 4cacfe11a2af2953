import type { FieldProblem } from '#kit/index.ts';
import type { Draft } from './draft.ts';
import type { VersionOffer } from './resource-kind.ts';

/** A connection, and an authorisation that has not moved any money, are kept waiting no longer than this. */
const LONGEST_WAIT_SECONDS = 600;

/**
 * A run that may take longer than somebody waits for it is answered with 202, and one that may outlive what a payer signs
 * is paid first. `offers`: null where they are not known yet.
 */
export function checkDuration(
  { runsLong = false, timeoutSeconds, settlementPoint }: Draft,
  offers: readonly VersionOffer[] | null,
): FieldProblem[] {
  const isBeyond = timeoutSeconds > LONGEST_WAIT_SECONDS;
  return [
    ...(isBeyond && !runsLong
      ? [
          {
            path: '/timeoutSeconds',
            message: `Beyond ${LONGEST_WAIT_SECONDS} seconds a call is answered with 202 and carried out behind it: set runsLong.`,
          },
        ]
      : []),
    ...(isBeyond && settlementPoint !== 'upfront'
      ? [
          {
            path: '/settlementPoint',
            message: `A run that may take more than ${LONGEST_WAIT_SECONDS} seconds may outlive the payment that was signed for it, so it is paid before it runs: choose upfront.`,
          },
        ]
      : []),
    ...(runsLong && offers !== null && offers.length === 0
      ? [
          {
            path: '/runsLong',
            message: 'What is free is answered while its caller waits: set a price, or leave runsLong out.',
          },
        ]
      : []),
  ];
}
