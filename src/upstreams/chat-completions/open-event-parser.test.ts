import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openEventParser } from './open-event-parser.ts';
import { parseEvent } from './parse-event.ts';

/** Between two quotes of JSON, or no text at all: it ends the text, or breaks off in the middle of an escape. */
const quoted = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.string({ unit: 'binary', maxLength: 6 }).map((text) => JSON.stringify(text).slice(1, -1)),
  },
  fc.constantFrom(
    'text',
    'a',
    '\\u00e9',
    '\\',
    'x\\',
    '"',
    'a","content":"b',
    'a"}},{"delta":{"content":"b',
    '\n',
    ' ',
  ),
  fc.constantFrom('cost', '\\"cost\\": 1}', '","cost":0.10,"x":"'),
);
/** What stands before and behind it. */
const frames = [
  ['{"id":"g","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"', '"}}]}'],
  [
    '{"choices": [{"delta": {"content": "',
    '"}, "finish_reason": null}], "usage": {"cost": 0.100, "prompt_tokens": 3}}',
  ],
  ['{"note":{"content":"', '"},"choices":[{"delta":{"content":"a"}}]}'],
  ['{"choices":[{"delta":{"content":"', '","content":"text"}}]}'],
  ['{"choices":[{"delta":{"content":"text","content":"', '"}}]}'],
  ['{"note":"\\"content\\":\\"","choices":[{"delta":{"content":"', '"}}]}'],
  ['{"choices":[{"delta":{"content":"', '"}},{"index":1,"delta":{"content":"b"}}]}'],
  ['{"choices":[{"delta":{"content":"', '","reasoning":"b"},"error":{"message":"c"}}]}'],
  ['{"error":{"content":"', '"},"choices":[{"delta":{"content":"text"}}]}'],
  ['[{"choices":[{"message":{"content":"', '"}}]}]'],
  ['{"choices":[{"delta":{"content":["', '"]}}]}'],
  ['', ''],
] as const;
const event = fc
  .tuple(fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(frames.length - 1)), quoted)
  .map(([at, text]) => frames[at]?.join(text) ?? '');

test('the events of a stream are read as each of them alone, whatever they have in common', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 12 }), (events) => {
      const parse = openEventParser();
      expect(events.map(parse)).toEqual(events.map(parseEvent));
    }),
    { numRuns: 5_000 },
  );
});

test('every frame meets every text behind one of its own kind', () => {
  fc.assert(
    fc.property(fc.nat(frames.length - 1), fc.array(quoted, { minLength: 2, maxLength: 4 }), (at, texts) => {
      const parse = openEventParser();
      const events = texts.map((text) => frames[at]?.join(text) ?? '');
      expect(events.map(parse)).toEqual(events.map(parseEvent));
    }),
    { numRuns: 5_000 },
  );
});
