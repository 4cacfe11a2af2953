import { Big } from 'big.js';

/** A number of JSON that a double would change. `JSON.stringify` writes it digit for digit. */
export interface ExactNumber {
  readonly rawJSON: string;
}

// https://tc39.es/proposal-json-parse-with-source/, which the types of the language do not have yet.
const { rawJSON, isRawJSON } = JSON as unknown as {
  rawJSON(text: string): ExactNumber;
  isRawJSON(value: unknown): value is ExactNumber;
};

/** More digits than this mean nothing to anybody, and each of them would be paid for in a prompt. */
export const MAX_NUMBER_LENGTH = 100;
/** Every decimal of so many digits comes back from a double as it was. */
const SAFE_LENGTH = 15;

/**
 * The value of a number as JSON writes it: as a double where that is the same number, else with all of its digits. Null
 * for one that is too large for a double, or has more digits than are kept.
 */
export function readNumber(text: string): number | ExactNumber | null {
  const value = Number(text);
  if (!Number.isFinite(value)) {
    return null;
  }
  if ((text.length <= SAFE_LENGTH && !/e/i.test(text)) || isSame(text, value)) {
    return value;
  }
  return text.length <= MAX_NUMBER_LENGTH ? rawJSON(text) : null;
}

/** The same number in other digits (`1.50`) is no other number; 20 zeros that would be told as `1e+20` are kept. */
function isSame(text: string, value: number): boolean {
  const told = String(value);
  return new Big(text).eq(told) && (/e/i.test(text) || !told.includes('e'));
}

export function isExactNumber(value: unknown): value is ExactNumber {
  return isRawJSON(value);
}

/** What `JSON.stringify` has written, with every digit of its numbers. */
export function parseExactJson(text: string): unknown {
  const readExactly = (_key: string, value: unknown, context: { source?: string }): unknown =>
    typeof value === 'number' ? (readNumber(context.source ?? String(value)) ?? value) : value;
  return JSON.parse(text, readExactly as Parameters<typeof JSON.parse>[1]);
}
