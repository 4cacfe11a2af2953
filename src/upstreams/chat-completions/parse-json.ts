type Reviver = (key: string, value: unknown, context?: { source?: string }) => unknown;

/**
 * JSON.parse that leaves the numbers under `exactKeys` as the text they had on the wire, because a float loses digits.
 * Parses plainly (and much faster) when no such key occurs.
 */
export function parseJsonExact(text: string, exactKeys: readonly string[]): unknown {
  if (!exactKeys.some((key) => text.includes(`"${key}"`))) {
    return JSON.parse(text);
  }
  const keepText: Reviver = (key, value, context) =>
    typeof value === 'number' && exactKeys.includes(key) ? (context?.source ?? String(value)) : value;
  return JSON.parse(text, keepText as Parameters<typeof JSON.parse>[1]);
}

const DECIMAL = /^\d{1,30}(\.\d{1,60})?([eE][+-]?\d{1,2})?$/;

/** A non-negative decimal text that PostgreSQL's numeric accepts, as it came; null for anything else. */
export function toDecimalText(value: unknown): string | null {
  return typeof value === 'string' && DECIMAL.test(value) ? value : null;
}
