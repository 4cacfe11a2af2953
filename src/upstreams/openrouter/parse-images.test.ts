import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseImages } from './parse-images.ts';

const event = (value: object | string): string =>
  `data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`;
const draft = event({ type: 'image_generation.partial_image', partial_image_index: 0, b64_json: 'AAAA' });
const finished = (b64_json: string, more: object = {}): string =>
  event({ type: 'image_generation.completed', b64_json, created: 1, ...more });
const done = event('[DONE]');
const pictures = (...all: string[]) => ({
  data: all.map((b64_json) => expect.objectContaining({ b64_json }) as object),
});

test('a whole answer is its own body, with the cost digit for digit', () => {
  const body = '{"data":[{"b64_json":"AAAA"}],"usage":{"cost":0.0300000000000000001}}';
  expect(parseImages(body)).toEqual({ data: [{ b64_json: 'AAAA' }], usage: { cost: '0.0300000000000000001' } });
});

test.each<[string, string, unknown]>([
  [
    'the finished pictures in their order',
    draft + finished('BBBB') + draft + finished('CCCC') + done,
    pictures('BBBB', 'CCCC'),
  ],
  [
    'the usage of the last',
    finished('BBBB', { usage: { cost: 0.25 } }) + done,
    { ...pictures('BBBB'), usage: { cost: '0.25' } },
  ],
  [
    'no usage where each picture has one: whether it is a sum nobody knows',
    finished('BBBB', { usage: { cost: 1 } }) + finished('CCCC', { usage: { cost: 2 } }) + done,
    pictures('BBBB', 'CCCC'),
  ],
  [
    'what comes with CRLF, a mark of byte order and comments',
    `\uFEFF: OPENROUTER\r\n\r\n${(finished('BBBB') + done).replaceAll('\n', '\r\n')}`,
    pictures('BBBB'),
  ],
  ['what ends without a blank line', finished('BBBB') + done.trimEnd(), pictures('BBBB')],
  [
    'what is written of a drawing, passed over',
    event({ type: 'image_generation.text_chunk', text: '<svg' }) + finished('BBBB') + done,
    pictures('BBBB'),
  ],
  [
    'an error',
    draft + event({ type: 'error', error: { message: 'no', code: 'server_error' } }) + done,
    { error: { message: 'no', code: 'server_error' } },
  ],
  ['an error after a picture', finished('BBBB') + event({ error: { message: 'no' } }), { error: { message: 'no' } }],
  ['drafts alone as no picture', draft + done, pictures()],
  ['nothing of a stream that breaks off', draft + finished('BBBB'), undefined],
  ['nothing of an empty answer', '', undefined],
  ['nothing of a page', '<html><body>502</body></html>', undefined],
  ['nothing of cut JSON', '{"data":[{"b64', undefined],
])('an answer tells %s', (_what, text, expected) => {
  expect(parseImages(text)).toEqual(expected);
});

test('what follows the end of a stream is not looked at', () => {
  expect(parseImages(finished('BBBB') + done + finished('CCCC'))).toEqual(pictures('BBBB'));
});

test('no text is too odd to be read', () => {
  const odd = fc.oneof(
    fc.string(),
    fc.constantFrom(draft, finished('BBBB'), done, 'data: {', '\r', '\n\n', 'event: x\n'),
  );
  const isPictures = (body: unknown): boolean => body === undefined || typeof body === 'object';
  fc.assert(
    fc.property(fc.array(odd, { maxLength: 12 }), (parts) => {
      expect(isPictures(parseImages(parts.join('')))).toBe(true);
    }),
  );
});
