const MAX_LENGTH = 500;
/** Control characters, line ends, and what turns the direction of writing or cannot be seen. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}]+/gu;

/** A text of somebody else as one line that shows all that it holds. */
function toLine(text: string): string {
  const line = text.toWellFormed().replaceAll(UNSEEN, ' ').trim();
  return line.length > MAX_LENGTH ? `${line.slice(0, MAX_LENGTH).toWellFormed()}…` : line;
}

/** The same for every text in a value of JSON. */
export function toLines<T>(value: T): T {
  return JSON.parse(JSON.stringify(value), (_name, one: unknown) => (typeof one === 'string' ? toLine(one) : one)) as T;
}
