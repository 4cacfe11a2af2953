import type { z } from 'zod';

/**
 * `schema.safeParse`, also of a value in which an object has a `length` or `size` of its own: zod compares it where a text
 * or a list should stand, which throws for an object such as `{"toString": 1}`.
 */
export function safeParse<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  params?: z.core.ParseContext<z.core.$ZodIssue>,
): z.ZodSafeParseResult<z.output<Schema>> {
  try {
    return schema.safeParse(value, params);
  } catch (error) {
    const parsed = schema.safeParse(withoutMeasures(value), params);
    if (parsed.success) {
      throw error;
    }
    return parsed;
  }
}

/** The same value where no object is compared: one that stands for a text or a list is refused all the same. */
function withoutMeasures(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(withoutMeasures);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  const members = Object.entries(value).filter(([name]) => name !== 'length' && name !== 'size');
  return Object.fromEntries(members.map(([name, item]) => [name, withoutMeasures(item)]));
}
