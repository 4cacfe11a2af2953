import fc from 'fast-check';

/** Names that objects inherit: one that holds a value of its own there cannot be made a text or a number. */
const inherited = ['toString', 'valueOf', 'constructor', 'hasOwnProperty', 'toJSON', 'then', 'length'];

/** What JSON can hold where something else is expected, with these names in it: above all objects that throw when they are converted. */
export function hostileJson(names: readonly string[]): fc.Arbitrary<unknown> {
  const { value } = fc.letrec<{ value: unknown; object: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom<unknown>(
        { toString: 1, valueOf: 1 },
        { toString: null },
        [{ toString: 1, valueOf: 1 }],
        null,
        true,
      ),
      fc.constantFrom<unknown>('', '0x', '1', -1, 0.5, [], {}),
      tie('object'),
      fc.array(tie('value'), { maxLength: 3 }),
    ),
    object: fc
      .array(fc.tuple(fc.constantFrom(...inherited, ...names), tie('value')), { maxLength: 4 })
      .map((members) => Object.fromEntries(members)),
  }));
  return value;
}

/** The same as JSON, with members called `__proto__` too, which only a parser makes. */
export function hostileText(names: readonly string[]): fc.Arbitrary<string> {
  return hostileJson([...names, PROTO]).map((value) => JSON.stringify(value).replaceAll(`"${PROTO}":`, '"__proto__":'));
}

const PROTO = 'proto-to-be';

/** An object with some of these members, each of them hostile. */
export function hostileMembers(names: readonly string[]): fc.Arbitrary<Record<string, unknown>> {
  return fc
    .subarray([...names])
    .chain((some) => fc.tuple(...some.map((name) => fc.tuple(fc.constant(name), hostileJson(names)))))
    .map((members) => Object.fromEntries(members));
}
