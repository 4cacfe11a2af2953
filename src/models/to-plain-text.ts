/** Control, direction, private and unpaired characters; joiners stay, because scripts and emoji need them. */
const UNWANTED = /(?![\n\t\u200C\u200D])[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu;
const MAX_DEPTH = 6;
const MAX_ITEMS = 100;
const MAX_STRING = 500;

/** Text from strangers as text to show: no control or direction-changing characters, at most `maxLength` long. */
export function toPlainText(text: string, maxLength: number): string {
  return text.slice(0, maxLength).replaceAll(UNWANTED, '').trim();
}

/** The same for every string inside a JSON value; what is too deep or too much is left out. */
export function toPlainJson(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') {
    return toPlainText(value, MAX_STRING);
  }
  if (typeof value !== 'object' || value === null) {
    return typeof value === 'number' && !Number.isFinite(value) ? null : value;
  }
  if (depth >= MAX_DEPTH) {
    return null;
  }
  if (Array.isArray(value)) {
    return value.slice(0, MAX_ITEMS).map((item) => toPlainJson(item, depth + 1));
  }
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, MAX_ITEMS)
      .map(([key, item]) => [toPlainText(key, MAX_STRING), toPlainJson(item, depth + 1)]),
  );
}
