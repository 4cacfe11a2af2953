import type { ErrorObject } from 'ajv/dist/2020.js';
import { escapePointer, splitPointer, type Json } from '#kit/index.ts';
import type { JsonObject } from '#resources/index.ts';

export const MAX_FAULTS = 8;
export const MAX_FAULT_CHARACTERS = 200;

/** Tells faults as places and rules. A place names what the schema names; what the model or the buyer named is `*`. */
export function openFaults(schema: JsonObject): (errors: readonly ErrorObject[], value: unknown) => string[] {
  const known = new Set(listNames(schema));
  return (errors, value) => {
    const told = new Set<string>();
    for (const error of errors) {
      if (told.size < MAX_FAULTS) {
        told.add(toFault(error, toPlace(error.instancePath, { value, known })));
      }
    }
    return [...told];
  };
}

function toFault({ message = 'does not fit', keyword, params }: ErrorObject, place: string): string {
  const more = keyword === 'enum' ? `: ${JSON.stringify((params as { allowedValues: Json }).allowedValues)}` : '';
  return `${place} ${message}${more}`.slice(0, MAX_FAULT_CHARACTERS);
}

function toPlace(pointer: string, { value, known }: { value: unknown; known: ReadonlySet<string> }): string {
  let at = value;
  const shown = splitPointer(pointer).map((name) => {
    const isShown = Array.isArray(at) || known.has(name);
    at = (at as Record<string, unknown> | undefined)?.[name];
    return isShown ? escapePointer(name) : '*';
  });
  return shown.length === 0 ? 'the object' : `/${shown.join('/')}`;
}

/** Of all properties, at whatever depth. */
function listNames(schema: Json | undefined): string[] {
  if (typeof schema !== 'object' || schema === null) {
    return [];
  }
  const { properties = null } = Array.isArray(schema) ? {} : schema;
  const named = typeof properties === 'object' && properties !== null ? Object.keys(properties) : [];
  return [...named, ...Object.values(schema).flatMap(listNames)];
}
