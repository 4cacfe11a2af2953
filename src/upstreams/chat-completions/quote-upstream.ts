import { toLine } from '#kit/index.ts';

const MAX_QUOTE = 240;
const WINDOW = 12;
/** A piece of a file: no name, id or word is as long. */
const BASE64 = /[A-Za-z0-9+/]{60,}/;

/**
 * What may be shown of an upstream's own message: one short line, or nothing when it repeats 12 letters or digits in a
 * row of anything private (prompt, input, key). Upstreams echo requests in their errors, and keys in their 401s.
 */
export function quoteUpstream(message: unknown, secrets: readonly string[]): string {
  return typeof message === 'string' ? quotePlain(message, secrets.map(toPlain)) : '';
}

function quotePlain(message: string, plainSecrets: readonly string[]): string {
  const line = toLine(message.slice(0, MAX_QUOTE));
  if (BASE64.test(line)) {
    return '';
  }
  const said = toPlain(line);
  const windows = toWindows(said);
  const leaks = plainSecrets.some((plain) =>
    plain.length <= WINDOW
      ? plain.length > 0 && said.includes(plain)
      : windows.some((window) => plain.includes(window)),
  );
  return leaks ? '' : line;
}

/** The same for short names (model, provider, id). Secrets too short to be told from chance do not count. */
export function labelQuoter(secrets: readonly string[]): (label: string | null) => string | null {
  const telling = secrets.map(toPlain).filter((plain) => plain.length > WINDOW);
  return (label) => (label === null ? null : quotePlain(label, telling) || null);
}

/** Letters and digits only, lower case: escapes, white space and punctuation cannot hide a repetition. */
function toPlain(text: string): string {
  return text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '');
}

function toWindows(plain: string): string[] {
  const windows: string[] = [];
  for (let start = 0; start + WINDOW <= plain.length; start += 1) {
    windows.push(plain.slice(start, start + WINDOW));
  }
  return windows;
}
