import { toPlainText } from './to-plain-text.ts';

const MAX_LENGTH = 60;

/** What stood where something else was expected, in a few words for whoever has to judge it. */
export function describeFound(value: unknown): string {
  if (value === undefined) {
    return 'missing';
  }
  if (Array.isArray(value)) {
    return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  }
  if (typeof value === 'object' && value !== null) {
    return toPlainText(`an object with ${Object.keys(value).slice(0, 5).join(', ') || 'nothing in it'}`, MAX_LENGTH);
  }
  return toPlainText(JSON.stringify(value) ?? typeof value, MAX_LENGTH);
}

/** The value at a path of own members; undefined where there is none. */
export function readAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let found = value;
  for (const key of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) {
      return undefined;
    }
    found = (found as Record<PropertyKey, unknown>)[key];
  }
  return found;
}
