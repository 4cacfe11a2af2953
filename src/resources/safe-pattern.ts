import { RE2JS } from 're2js';

/** A string longer than this never reaches the engine. */
export const MAX_PATTERNED_LENGTH = 1000;
const MAX_PATTERN_LENGTH = 200;
const MAX_PROGRAM_SIZE = 300;

interface SafePattern {
  test(text: string): boolean;
  /** Distinct per pattern: ajv shares compiled patterns by this text. */
  toString(): string;
}

export type PatternResult = { ok: true; pattern: SafePattern } | { ok: false; reason: string };

/**
 * Creators' patterns run on buyers' input before payment, so they run on a linear-time engine (docs/decisions/0005).
 * Accepted is what both RE2 and ECMAScript (flag u) read: buyers' own tools check the same schema with the latter.
 */
export function compilePattern(source: string): PatternResult {
  if (source.length > MAX_PATTERN_LENGTH) {
    return { ok: false, reason: `A pattern has at most ${MAX_PATTERN_LENGTH} characters.` };
  }
  try {
    RegExp(source, 'u');
  } catch {
    return { ok: false, reason: 'This is not a regular expression that JavaScript (flag u) reads.' };
  }
  try {
    const program = RE2JS.compile(source);
    if (program.programSize() > MAX_PROGRAM_SIZE) {
      return { ok: false, reason: 'The pattern is too complex: use smaller repetition counts.' };
    }
    return { ok: true, pattern: toSafePattern(source, program) };
  } catch {
    return {
      ok: false,
      reason: 'Patterns are read by RE2: look-around, back-references and \\u escapes are not available.',
    };
  }
}

function toSafePattern(source: string, program: RE2JS): SafePattern {
  return {
    // find() and not test(): the latter caches a DFA of up to 8 MB per pattern.
    // A character outside the basic plane counts as two code units, so twice the length is let through.
    test: (text) => text.length <= MAX_PATTERNED_LENGTH * 2 && program.matcher(text).find(),
    toString: () => `re2:${source}`,
  };
}

/** The same for ajv (`code.regExp`). Versions were checked at publishing, so a refusal here is a bug. */
export function openPattern(source: string): SafePattern {
  const result = compilePattern(source);
  if (!result.ok) {
    throw new Error(`A published pattern is not accepted: ${result.reason}`);
  }
  return result.pattern;
}
openPattern.code = 'openPattern';
