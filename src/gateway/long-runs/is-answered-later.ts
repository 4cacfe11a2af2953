import { Problem } from '#kit/index.ts';
import type { PublishedVersion } from '#resources/index.ts';
import type { CallRequest } from '../call-request.ts';
import type { GatewayDeps } from '../gateway-deps.ts';

/** Whether a paid call is answered with 202: its creator or its buyer wants it so. */
export function isAnsweredLater(request: CallRequest, version: PublishedVersion): boolean {
  return version.runsLong === true || request.later?.isAsked === true;
}

/** Throws `invalid_input` for a callback that would never be made. */
export function assertCallback(
  { callbacks }: Pick<GatewayDeps, 'callbacks'>,
  request: CallRequest,
  version: PublishedVersion,
): void {
  const url = request.later?.callbackUrl;
  if (url === undefined) {
    return;
  }
  if (!isAnsweredLater(request, version)) {
    throw new Problem('invalid_input', {
      detail: 'X-Farebox-Callback is for calls that are answered later.',
      next: 'Send "Prefer: respond-async" with it, or leave it out.',
    });
  }
  callbacks.check(url);
}
