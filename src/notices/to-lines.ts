import { toLine } from '#kit/index.ts';

const MAX_LENGTH = 500;

function toShortLine(text: string): string {
  const line = toLine(text);
  return line.length > MAX_LENGTH ? `${line.slice(0, MAX_LENGTH).toWellFormed()}…` : line;
}

/** Every text of somebody else in a value of JSON as one line that shows all that it holds, cut to size. */
export function toLines<T>(value: T): T {
  return JSON.parse(JSON.stringify(value), (_name, one: unknown) =>
    typeof one === 'string' ? toShortLine(one) : one,
  ) as T;
}
