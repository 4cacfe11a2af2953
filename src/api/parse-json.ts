import { Problem, readNumber, toPointer } from '#kit/index.ts';

const DEPTH_LIMIT = 32;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const BLANK = /[ \t\n\r]*/y;
const LITERAL = /true|false|null/y;
const literals: Record<string, unknown> = { true: true, false: false, null: null };

interface Reader {
  text: string;
  at: number;
  path: (string | number)[];
  keepsDigits: boolean;
}

/**
 * JSON as `JSON.parse` reads it, with what that lets pass refused: two members of one name, `__proto__`, numbers that
 * overflow, text that is not Unicode or holds NUL, nesting deeper than 32. Every problem names its place.
 * With `keepsDigits` a number that a double would change is an `ExactNumber`; without, such an integer is refused.
 */
export function parseJson(text: string, { keepsDigits = false } = {}): unknown {
  const reader: Reader = { text, at: 0, path: [], keepsDigits };
  const value = readValue(reader);
  skipBlank(reader);
  if (reader.at < text.length) {
    refuse(reader, 'there is something after the end of the value');
  }
  return value;
}

function readValue(reader: Reader): unknown {
  skipBlank(reader);
  switch (reader.text[reader.at]) {
    case '{':
      return readContainer(reader, readObject);
    case '[':
      return readContainer(reader, readArray);
    case '"':
      return readString(reader);
    default:
      return readScalar(reader);
  }
}

function readContainer(reader: Reader, read: (reader: Reader) => unknown): unknown {
  if (reader.path.length >= DEPTH_LIMIT) {
    refuse(reader, `it is nested deeper than ${DEPTH_LIMIT} levels`);
  }
  reader.at += 1;
  const value = read(reader);
  reader.at += 1;
  return value;
}

function readObject(reader: Reader): Record<string, unknown> {
  const members = new Map<string, unknown>();
  skipBlank(reader);
  while (reader.text[reader.at] !== '}') {
    const startsAt = reader.at;
    if (reader.text[startsAt] !== '"') {
      refuse(reader, 'a member name in double quotes was expected');
    }
    const name = readString(reader);
    if (members.has(name) || name === '__proto__') {
      reader.at = startsAt;
      refuse(reader, name === '__proto__' ? 'the name __proto__ is not allowed' : 'this name stands here twice');
    }
    skipBlank(reader);
    expect(reader, ':');
    reader.path.push(name);
    members.set(name, readValue(reader));
    reader.path.pop();
    skipComma(reader, '}');
  }
  return Object.fromEntries(members);
}

function readArray(reader: Reader): unknown[] {
  const items: unknown[] = [];
  skipBlank(reader);
  while (reader.text[reader.at] !== ']') {
    reader.path.push(items.length);
    items.push(readValue(reader));
    reader.path.pop();
    skipComma(reader, ']');
  }
  return items;
}

/** Between two items: a comma with something after it, or the closing bracket. */
function skipComma(reader: Reader, closing: string): void {
  skipBlank(reader);
  if (reader.text[reader.at] === closing) {
    return;
  }
  expect(reader, ',');
  skipBlank(reader);
  if (reader.text[reader.at] === closing) {
    refuse(reader, 'a comma must be followed by another item');
  }
}

function readString(reader: Reader): string {
  const startsAt = reader.at;
  let end = startsAt + 1;
  for (let code = reader.text.charCodeAt(end); code !== 0x22; code = reader.text.charCodeAt(end)) {
    if (Number.isNaN(code) || code < 0x20) {
      reader.at = end;
      refuse(reader, Number.isNaN(code) ? 'a text is not closed' : 'a text holds a control character');
    }
    end += code === 0x5c ? 2 : 1;
  }
  const value = unescape(reader, reader.text.slice(startsAt, end + 1));
  if (!value.isWellFormed() || value.includes('\0')) {
    refuse(reader, 'a text holds half a surrogate pair or the NUL character');
  }
  reader.at = end + 1;
  return value;
}

function unescape(reader: Reader, quoted: string): string {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return refuse(reader, 'a text holds an unknown escape');
  }
}

function readScalar(reader: Reader): unknown {
  const word = match(reader, LITERAL);
  if (word !== '') {
    return literals[word];
  }
  const digits = match(reader, NUMBER);
  if (digits === '') {
    refuse(reader, reader.at >= reader.text.length ? 'it ends too early' : 'a value was expected');
  }
  const value = reader.keepsDigits ? readNumber(digits) : readDouble(digits);
  if (value === null) {
    reader.at -= digits.length;
    const isFinite = Number.isFinite(Number(digits));
    refuse(reader, isFinite ? 'a number has more digits than are kept here' : 'a number is too large');
  }
  return value;
}

/** Decimals are rounded, as everywhere; an integer that would become another one is no longer what was sent. */
function readDouble(digits: string): number | null {
  const value = Number(digits);
  const isOther = /^-?\d{16,}$/.test(digits) && !Number.isSafeInteger(value) && typeof readNumber(digits) !== 'number';
  return isOther || !Number.isFinite(value) ? null : value;
}

function match(reader: Reader, pattern: RegExp): string {
  pattern.lastIndex = reader.at;
  const found = pattern.exec(reader.text)?.[0] ?? '';
  reader.at += found.length;
  return found;
}

function skipBlank(reader: Reader): void {
  match(reader, BLANK);
}

function expect(reader: Reader, character: string): void {
  if (reader.text[reader.at] !== character) {
    refuse(reader, reader.at >= reader.text.length ? 'it ends too early' : `"${character}" was expected`);
  }
  reader.at += 1;
}

function refuse(reader: Reader, what: string): never {
  const lines = reader.text.slice(0, reader.at).split('\n');
  const place = `line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1} (position ${reader.at})`;
  throw new Problem('invalid_input', {
    detail: `The body is not acceptable JSON: ${what}, at ${place}.`,
    fields: [{ path: toPointer(reader.path), message: what }],
  });
}
