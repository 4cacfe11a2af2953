import { z } from 'zod';
import { safeParse } from './safe-parse.ts';

export interface Fitting<Input> {
  /** What fits, as the schema makes it. What does not is left out at its place; of a list, the whole list. */
  fits: Partial<Input>;
  /** The members in which something does not fit, whether or not something of them is left. */
  faulty: ReadonlySet<string>;
}

/** What of an object fits a schema that refuses it, so that the rest can still be judged. */
export function keepFitting<Schema extends z.ZodType>(schema: Schema, value: unknown): Fitting<z.output<Schema>> {
  const faulty = new Set<string>();
  if (!(schema instanceof z.ZodObject) || typeof value !== 'object' || value === null) {
    return { fits: {}, faulty };
  }
  // Made anew of its members: what a schema says of several of them together cannot be asked of a part.
  const partial = z.strictObject(schema.shape).partial();
  const rest: unknown = structuredClone(value);
  // Each round leaves something out; what that makes incomplete is left out in the next one.
  for (;;) {
    const parsed = safeParse(partial, rest);
    if (parsed.success) {
      return { fits: parsed.data as Partial<z.output<Schema>>, faulty };
    }
    const places = parsed.error.issues.flatMap((issue) => toPlaces(rest, issue));
    if (places.length === 0) {
      return { fits: {}, faulty };
    }
    for (const place of places) {
      faulty.add(String(place[0]));
      leaveOut(rest, place);
    }
  }
}

type Place = readonly PropertyKey[];

function toPlaces(rest: unknown, issue: z.core.$ZodIssue): Place[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => [...issue.path, key]);
  }
  // What is missing cannot be left out: what it is missing in can.
  const place = find(rest, issue.path) === undefined ? issue.path.slice(0, -1) : issue.path;
  return place.length === 0 ? [] : [place];
}

function find(value: unknown, place: Place): unknown {
  return place.reduce<unknown>(
    (inside, key) =>
      typeof inside === 'object' && inside !== null ? (inside as Record<PropertyKey, unknown>)[key] : undefined,
    value,
  );
}

function leaveOut(value: unknown, place: Place): void {
  const parent = find(value, place.slice(0, -1));
  if (typeof parent === 'object' && parent !== null) {
    delete (parent as Record<PropertyKey, unknown>)[place.at(-1) ?? ''];
  }
}
