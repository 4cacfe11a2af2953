/**
 * A value that came from outside, of which nothing is known, as text; of what is no text, number or truth value there is
 * none. `String` throws for an object such as `{"toString": 1}`.
 */
export function textOf(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
    case 'boolean':
    case 'bigint':
      return String(value);
    default:
      return '';
  }
}

/** The same as a number: NaN for all but numbers and texts that are written like one. */
export function numberOf(value: unknown): number {
  return typeof value === 'string' || typeof value === 'number' ? Number(value) : Number.NaN;
}
