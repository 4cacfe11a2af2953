import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileTemplate, escapeTemplate, renderTemplate, toTemplateFieldProblems } from './template.ts';

const tone = [{ name: 'tone' }];

function render(text: string, input: Record<string, unknown>): string {
  const result = compileTemplate(
    text,
    Object.keys(input).map((name) => ({ name })),
  );
  if (!result.ok) {
    throw new Error(JSON.stringify(result.problems));
  }
  return renderTemplate(result.template, input);
}

function refuse(text: string, names: string[] = ['tone']) {
  const result = compileTemplate(
    text,
    names.map((name) => ({ name })),
  );
  return result.ok ? [] : result.problems.map(({ code, line, column, offset }) => ({ code, line, column, offset }));
}

describe('rendering', () => {
  test('puts each value where its tag stands, as often as it stands', () => {
    expect(render('{a}{/a}, {b}{/b} and {a}{/a}', { a: 'x', b: 2 })).toBe('x, 2 and x');
  });

  test.each(['$&', '$1', '$`', "$'", '$$', '{b}{/b}', '\\{a}{/a}', '\\', '\u0000', '\ud800', '🦊', '__proto__'])(
    'leaves the value %j alone',
    (value) => expect(render('<{a}{/a}|{b}{/b}>', { a: value, b: 'B' })).toBe(`<${value}|B>`),
  );

  test('writes numbers and booleans plainly and nothing for what was left out', () => {
    const result = compileTemplate('{n}{/n}{yes}{/yes}{toString}{/toString}', [
      { name: 'n' },
      { name: 'yes' },
      { name: 'toString' },
    ]);
    expect(result.ok && renderTemplate(result.template, { n: -0.5, yes: false })).toBe('-0.5false');
  });

  test.each([
    ['\\{tone}{/tone} {tone}{/tone}', '{tone}{/tone} V'],
    ['\\\\{tone}{/tone}', '\\V'],
    ['\\\\\\{tone}{/tone}{tone}{/tone}', '\\{tone}{/tone}V'],
    ['\\{/tone}{tone}{/tone}', '{/tone}V'],
    ['\\{tone} {tone}{/tone}', '{tone} V'],
    ['\\n \\frac{a}{b} \\{1,2\\} {tone}{/tone}', '\\n \\frac{a}{b} \\{1,2\\} V'],
    ['{"json": {"a": [1]}} {} {x} {tone}{/tone}', '{"json": {"a": [1]}} {} {x} V'],
    ['{/* css */} a{color:red} {tone}{/tone}', '{/* css */} a{color:red} V'],
    ['{{tone}{/tone}}', '{V}'],
  ])('reads %s', (text, rendered) => expect(render(text, { tone: 'V' })).toBe(rendered));
});

describe('refusals, with their position', () => {
  test.each([
    ['unknown', 'Hi {tone}{/tone}\n  {mood}{/mood}', [{ code: 'unknown_tag', line: 2, column: 3, offset: 19 }]],
    ['unused', 'Hi', [{ code: 'unused_parameter', line: 1, column: 1, offset: 0 }]],
    [
      'mismatched',
      'a\r\nb\rc{tone}{/tone}{tone}{/mood}',
      [{ code: 'mismatched_tag', line: 3, column: 15, offset: 19 }],
    ],
    ['close tag apart', '{tone}{/tone}{x} y {/x}', [{ code: 'mismatched_tag', line: 1, column: 20, offset: 19 }]],
    ['never closed', '{tone}{/tone} {tone}', [{ code: 'unclosed_tag', line: 1, column: 15, offset: 14 }]],
    ['bad name', '{tone}{/tone}{my name}{/my name}', [{ code: 'bad_name', line: 1, column: 14, offset: 13 }]],
    ['empty name', '{tone}{/tone}{}{/}', [{ code: 'bad_name', line: 1, column: 14, offset: 13 }]],
    [
      'name too long',
      `{tone}{/tone}{${'n'.repeat(41)}}{/${'n'.repeat(41)}}`,
      [{ code: 'bad_name', line: 1, column: 14, offset: 13 }],
    ],
  ])('%s', (_, text, problems) => expect(refuse(text)).toEqual(problems));

  test('every problem of a template is told at once, in the order of the text', () => {
    expect(refuse('{a}{/b}\n{x}{/x}\n{/c}', ['a', 'b']).map(({ code, line }) => `${code}:${line}`)).toEqual([
      'mismatched_tag:1',
      'unknown_tag:2',
      'mismatched_tag:3',
      'unused_parameter:1',
    ]);
  });

  test('a template of more than 100 KB', () => {
    expect(refuse(`{tone}{/tone}${'é'.repeat(51_200)}`)).toMatchObject([{ code: 'too_large' }]);
  });

  test('a piece of the prompt is not repeated in the message', () => {
    const result = compileTemplate('{secret words}{/secret words}', []);
    expect(JSON.stringify(result)).not.toContain('secret');
  });

  test('messages for the creator name the line', () => {
    const result = compileTemplate('\n{mood}{/mood}{tone}{/tone}', tone);
    expect(result.ok ? [] : toTemplateFieldProblems(result.problems, '/config/template')).toEqual([
      { path: '/config/template', message: expect.stringMatching(/^Line 2, column 1: There is no parameter `mood`/) },
    ]);
  });
});

test('hostile texts take linear time', () => {
  for (const piece of ['\\', '{', '{a', '{a}', '{/', '{a}{/b}', '\\{a}{/a}']) {
    const text = piece.repeat(Math.floor(100_000 / piece.length));
    const startedAt = performance.now();
    compileTemplate(text, tone);
    expect(performance.now() - startedAt).toBeLessThan(1000);
  }
});

const names = ['a', 'b', '_c1', 'toString', 'constructor_'];
const hostile = fc.oneof(
  fc.constantFrom(
    '$&',
    '$1',
    "$'",
    '{a}{/a}',
    '{b}',
    '{/a}',
    '\\',
    '{',
    '}',
    '\\{a}{/a}',
    '\ud800',
    '\udc00',
    '\u2028',
  ),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('{', '}', '/', 'a', '\\', '$', '&', '\n') }),
);
/** A literal that ends in a backslash would escape the tag behind it. */
const literal = hostile.map((text) => text.replace(/\\+$/, ''));
type Piece = { text: string } | { name: string };
const piece: fc.Arbitrary<Piece> = fc.oneof(
  literal.map((text) => ({ text })),
  fc.constantFrom(...names).map((name) => ({ name })),
);

/** Neighbouring literals are one literal: a tag may begin in one and end in the next. */
function merge(pieces: Piece[]): Piece[] {
  return pieces.reduce<Piece[]>((merged, part) => {
    const last = merged.at(-1);
    return last && 'text' in last && 'text' in part
      ? [...merged.slice(0, -1), { text: last.text + part.text }]
      : [...merged, part];
  }, []);
}

test('rendered equals the literal replacement, 10,000 times', () => {
  const values = fc.record(Object.fromEntries(names.map((name) => [name, hostile])));
  const property = fc.property(fc.array(piece, { maxLength: 12 }).map(merge), values, (pieces, input) => {
    const template = pieces.map((part) =>
      'text' in part ? escapeTemplate(part.text) : `{${part.name}}{/${part.name}}`,
    );
    const used = names.filter((name) => pieces.some((part) => 'name' in part && part.name === name));
    const result = compileTemplate(
      template.join(''),
      used.map((name) => ({ name })),
    );
    const expected = pieces.map((part) => ('text' in part ? part.text : input[part.name])).join('');
    expect(result.ok && renderTemplate(result.template, input)).toBe(expected);
  });
  fc.assert(property, { numRuns: 10_000 });
});
