/** What JSON has as an object. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function toObject(value: unknown): Record<string, unknown> | null {
  return isObject(value) ? value : null;
}
