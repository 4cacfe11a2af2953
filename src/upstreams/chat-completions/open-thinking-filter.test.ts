import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openThinkingFilter } from './open-thinking-filter.ts';
import { splitThinking } from './split-thinking.ts';

const marks = ['<think>', '</think>', '<thinking>', '</thinking>', '[THINK]', '[/THINK]', '◁think▷', '◁/think▷'];
const channels = ['<|start|>assistant', '<|channel|>', 'analysis', 'final', '<|message|>', '<|end|>', '<|return|>'];
const piece = fc.oneof(
  fc.constantFrom(...marks, ...channels, ' ', '\n', '<', '<th', 'answer', 'a < b'),
  fc.string({ maxLength: 6 }),
);

function pass(pieces: readonly string[]): string {
  const filter = openThinkingFilter();
  return pieces.map((text) => filter.push(text)).join('') + filter.end();
}

test('however a text is cut, what goes out is what would be left of it in one piece', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), fc.array(fc.nat(), { maxLength: 12 }), (texts, cuts) => {
      const whole = texts.join('');
      // An end without a beginning is known only where the text has ended.
      fc.pre(!/^[ \t]*<\/think>[ \t]*$/m.test(whole));
      const at = [0, ...cuts.map((cut) => cut % (whole.length + 1)).toSorted((a, b) => a - b), whole.length];
      const pieces = at.slice(1).map((end, index) => whole.slice(at[index], end));
      expect(pass(pieces)).toBe(splitThinking(whole).answer);
    }),
    { numRuns: 3_000 },
  );
});

test('plain text goes out at once, and long thinking is not kept', () => {
  const filter = openThinkingFilter();
  expect([filter.push('  '), filter.push('Hello'), filter.push(' you')]).toEqual(['', '  Hello', ' you']);
  const thinking = openThinkingFilter();
  expect(
    ['<think>', 'x'.repeat(1_000_000), '</thi', 'nk>\n\n', 'Yes', ' and'].map((text) => thinking.push(text)),
  ).toEqual(['', '', '', '', 'Yes', ' and']);
  expect(thinking.hasThought).toBe(true);
});

test('an end mark without a beginning is passed on with what stands before it', () => {
  expect(pass(['thought\n', '</think>\n', 'answer'])).toBe('thought\n</think>\nanswer');
});
