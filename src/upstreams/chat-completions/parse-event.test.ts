import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseEvent } from './parse-event.ts';

const odd = fc.constantFrom<unknown>(null, undefined, 3, '', 'text', [], {}, ['a'], { text: 'b' });
const name = fc.oneof({ weight: 6, arbitrary: fc.constant<unknown>('acme/poet') }, { weight: 1, arbitrary: odd });
const choice = fc.record(
  {
    index: fc.oneof({ weight: 6, arbitrary: fc.constant<unknown>(0) }, { weight: 1, arbitrary: odd }),
    delta: fc.record({ role: name, content: fc.oneof(fc.string(), odd), refusal: odd }, { requiredKeys: ['content'] }),
    finish_reason: fc.oneof(fc.constant<unknown>(null), name),
    error: odd,
  },
  { requiredKeys: ['delta', 'index'] },
);
const chunk = fc.record(
  {
    id: name,
    object: fc.constantFrom('chat.completion.chunk', 'chat.completion'),
    model: name,
    provider: name,
    choices: fc.array(choice, { minLength: 1, maxLength: 2 }),
    usage: odd,
  },
  { requiredKeys: ['object', 'choices'] },
);

test('a plain piece of text is read as the schema reads it', () => {
  fc.assert(
    fc.property(chunk, (given) => {
      // A member that no piece has sends the same event the whole way.
      const whole = parseEvent(JSON.stringify({ ...given, unknown: 1 }));
      expect(parseEvent(JSON.stringify(given))).toEqual(whole);
    }),
    { numRuns: 2_000 },
  );
});
