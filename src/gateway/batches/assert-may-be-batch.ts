import { Problem } from '#kit/index.ts';
import type { PublishedVersion } from '#resources/index.ts';
import type { CallRequest } from '../call-request.ts';

/** Throws `unprocessable`: an owner's test is answered while its caller waits. */
export function assertMayBeBatch({ isOwnerTest }: Pick<CallRequest, 'isOwnerTest'>, version: PublishedVersion): void {
  if (version.batchOf && isOwnerTest) {
    throw new Problem('unprocessable', {
      detail: 'Many inputs at once are not run as a test.',
      next: 'Test one input at the address of the resource without /batch, or pay for the batch.',
    });
  }
}
