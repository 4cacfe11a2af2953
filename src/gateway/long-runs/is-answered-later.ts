import type { PublishedVersion } from '#resources/index.ts';
import type { CallRequest } from '../call-request.ts';

/** Whether a paid call is answered with 202: its creator or its buyer wants it so. */
export function isAnsweredLater(request: CallRequest, version: PublishedVersion): boolean {
  return version.runsLong === true || request.later?.isAsked === true;
}
