/** A number of JSON with what must follow it where it is the value of a name. */
const NUMBER = String.raw`(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?=\s*[,}])`;

/**
 * JSON.parse that leaves the numbers under `exactKeys`, which are plain words, as the text they had on the wire, because a
 * float loses digits. Inside of a text every quote has a backslash before it, so a name with bare quotes is a name.
 */
export function parseJsonExact(text: string, exactKeys: readonly string[]): unknown {
  return JSON.parse(
    exactKeys.some((key) => text.includes(`"${key}"`)) ? text.replace(toNumbers(exactKeys), '$1"$2"') : text,
  );
}

const patterns = new WeakMap<readonly string[], RegExp>();

function toNumbers(exactKeys: readonly string[]): RegExp {
  const known = patterns.get(exactKeys);
  if (known) {
    return known;
  }
  const made = new RegExp(String.raw`(?<!\\)("(?:${exactKeys.join('|')})"\s*:\s*)${NUMBER}`, 'g');
  patterns.set(exactKeys, made);
  return made;
}

const DECIMAL = /^\d{1,30}(\.\d{1,60})?([eE][+-]?\d{1,2})?$/;

/** A non-negative decimal text that PostgreSQL's numeric accepts, as it came; null for anything else. */
export function toDecimalText(value: unknown): string | null {
  return typeof value === 'string' && DECIMAL.test(value) ? value : null;
}
