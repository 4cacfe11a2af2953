import { parseInput, type PublishedVersion } from '#resources/index.ts';
import type { CallRequest } from './call-request.ts';

type Sent = CallRequest['input'] & { ok: true };
type Parsed = ReturnType<typeof parseInput>;

/** What checks a call asks for its input more than once, and to read a thousand of them takes long. */
const read = new WeakMap<Sent, { version: PublishedVersion; parsed: Parsed }>();

/** The input of a request as the version's schema reads it, or what of it does not fit. */
export function readInput(input: Sent, version: PublishedVersion): Parsed {
  const known = read.get(input);
  if (known?.version === version) {
    return known.parsed;
  }
  const parsed = parseInput(version, input.value, { isText: input.isText });
  read.set(input, { version, parsed });
  return parsed;
}

/** The same; absent where it does not fit. */
export function readGivenInput(
  { input }: Pick<CallRequest, 'input'>,
  version: PublishedVersion,
): Record<string, unknown> | undefined {
  const parsed = input.ok && readInput(input, version);
  return parsed && parsed.ok ? parsed.input : undefined;
}
