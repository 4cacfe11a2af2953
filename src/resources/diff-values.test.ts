import fc from 'fast-check';
import { expect, test } from 'vitest';
import { diffValues, type Change } from './diff-values.ts';

const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.string(), tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
}));
const record = fc.dictionary(fc.string(), json.value, { maxKeys: 5, noNullPrototype: true });

test('what did not change is told as nothing, and what changed with both of its values', () => {
  fc.assert(
    fc.property(record, record, (before, after) => {
      expect(diffValues(before, before)).toEqual([]);
      for (const change of diffValues(before, after)) {
        expect(at(before, change)).toEqual(change.op === 'add' ? undefined : change.before);
        expect(at(after, change)).toEqual(change.op === 'remove' ? undefined : change.after);
      }
    }),
  );
});

test('of a longer text the lines that changed are shown', () => {
  const lines = Array.from({ length: 40 }, (_, index) => `Line ${index} of the prompt.`);
  const [change] = diffValues(
    { config: { systemPrompt: lines.join('\n') } },
    {
      config: { systemPrompt: lines.with(20, 'Be kind.').join('\n') },
    },
  );
  expect(change).toMatchObject({ op: 'replace', path: '/config/systemPrompt' });
  expect(change?.text?.split('\n')).toEqual([
    '@@ -19,5 +19,5 @@',
    ' Line 18 of the prompt.',
    ' Line 19 of the prompt.',
    '-Line 20 of the prompt.',
    '+Be kind.',
    ' Line 21 of the prompt.',
    ' Line 22 of the prompt.',
    '',
  ]);
});

test('texts that have nothing in common are shown whole, and in no time', () => {
  const text = (letter: string) => Array.from({ length: 20_000 }, (_, index) => `${letter}${index}`).join('\n');
  const [change] = diffValues({ a: text('x') }, { a: text('y') });
  expect(change).toMatchObject({ op: 'replace', before: text('x'), after: text('y') });
  expect(change?.text).toBeUndefined();
});

function at(value: unknown, { path }: Change): unknown {
  const names = path.split('/').slice(1);
  return names.reduce<unknown>(
    (found, name) => (found as Record<string, unknown> | undefined)?.[name.replaceAll('~1', '/').replaceAll('~0', '~')],
    value,
  );
}
