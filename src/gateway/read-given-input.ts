import { parseInput, type PublishedVersion } from '#resources/index.ts';
import type { CallRequest } from './call-request.ts';

/** The input of a request as the version's schema reads it; absent where it does not fit. */
export function readGivenInput(
  { input }: Pick<CallRequest, 'input'>,
  version: PublishedVersion,
): Record<string, unknown> | undefined {
  const parsed = input.ok && parseInput(version, input.value, { isText: input.isText });
  return parsed && parsed.ok ? parsed.input : undefined;
}
