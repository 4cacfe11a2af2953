import { Problem } from '#kit/index.ts';

/** The fields of a query in their order, each as strict percent-encoded UTF-8. Throws `invalid_input`. */
export function readQueryPairs(query: string): [name: string, value: string][] {
  return query
    .split('&')
    .filter((part) => part !== '')
    .map((pair) => {
      const at = pair.indexOf('=');
      return [decode(at < 0 ? pair : pair.slice(0, at)), decode(at < 0 ? '' : pair.slice(at + 1))];
    });
}

function decode(text: string): string {
  let decoded: string | undefined;
  try {
    decoded = decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    // Reported below.
  }
  if (decoded === undefined || decoded.includes('\0') || decoded === '__proto__') {
    throw new Problem('invalid_input', {
      detail: 'The query is not percent-encoded UTF-8, or holds the NUL character or the name __proto__.',
    });
  }
  return decoded;
}
