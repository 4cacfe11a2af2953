type Change = (value: unknown) => unknown;

/** The payload with one character of one value changed, for every value in it. */
export function listTampered(payload: unknown): unknown[] {
  return changeEach(payload, (value) => {
    if (typeof value === 'number') {
      return value + 1;
    }
    const text = String(value);
    return text.slice(0, -1) + (text.endsWith('1') ? '0' : '1');
  });
}

/** Things that are not payloads, and the payload with a value of another type, missing, or beside what it may hold. */
export function listMisshapen(payload: unknown): unknown[] {
  const beside = (value: unknown) => ({ ...(value as object), invented: 1 });
  return [
    null,
    [],
    'text',
    7,
    {},
    beside(payload),
    ...changeEach(payload, () => undefined),
    ...changeEach(payload, () => ({})),
    ...changeEach(payload, () => null),
    ...changeObjects(payload, beside),
  ].map((value): unknown => (value === undefined ? null : value));
}

/** One copy for each value that is no object. */
function changeEach(value: unknown, change: Change): unknown[] {
  if (typeof value !== 'object' || value === null) {
    return [change(value)];
  }
  return Object.entries(value).flatMap(([name, inner]) =>
    changeEach(inner, change).map((changed) => ({ ...value, [name]: changed })),
  );
}

/** One copy for each object inside. */
function changeObjects(value: unknown, change: Change): unknown[] {
  return Object.entries(value as object).flatMap(([name, inner]) =>
    typeof inner === 'object' && inner !== null ? [{ ...(value as object), [name]: change(inner) }] : [],
  );
}
