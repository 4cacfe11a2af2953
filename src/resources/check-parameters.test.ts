import { expect, test } from 'vitest';
import { checkParameters } from './check-parameters.ts';
import { parameterSchema } from './parameter.ts';

function check(...parameters: Record<string, unknown>[]): string[] {
  return checkParameters(parameters.map((parameter) => parameterSchema.parse({ name: 'a', ...parameter }))).map(
    ({ path, message }) => `${path} ${message}`,
  );
}

test.each([
  [{}],
  [{ minLength: 1, maxLength: 100_000, default: 'x', example: 'y' }],
  [{ type: 'number', minimum: 1.5, maximum: 1.5, default: 1.5 }],
  [{ type: 'integer', minimum: -3, example: 0 }],
  [{ type: 'boolean', default: false }],
  [{ type: 'enum', options: ['x', 'y'], default: 'y' }],
  [{ pattern: '^[a-z]+$', example: 'abc' }],
  [
    {
      type: 'image',
      contentTypes: ['image/png'],
      maxBytes: 1_000,
      maxPixels: 100,
      example: 'https://example.com/a.png',
    },
  ],
  [{ type: 'audio', maxSeconds: 30, required: false }],
  [{ type: 'video' }],
  [{ type: 'pdf', maxPages: 3 }],
  [{ type: 'file', contentTypes: ['image/png', 'application/pdf'], maxPixels: 9, maxPages: 2 }],
  [{ name: '_'.repeat(40), required: false, default: 'x' }],
])('accepts %j', (parameter) => expect(check(parameter)).toEqual([]));

test.each([
  [{ name: '' }, /^\/parameters\/0\/name .*starts with a letter/],
  [{ name: '1a' }, /name/],
  [{ name: 'my name' }, /name/],
  [{ name: 'a'.repeat(41) }, /name/],
  [{ name: 'é' }, /name/],
  [{ name: 'user_message' }, /reserved/],
  [{ name: '__proto__' }, /reserved/],
  [{ name: 'constructor' }, /reserved/],
  [{ name: 'prototype' }, /reserved/],
  [{ name: 'hasOwnProperty' }, /reserved/],
  [{ type: 'image', contentTypes: ['image/svg+xml'] }, /\/contentTypes .*these content types are read: image\/png/],
  [{ type: 'audio', contentTypes: ['image/png'] }, /\/contentTypes .*audio\/wav/],
  [{ type: 'file', contentTypes: ['text/html'] }, /\/contentTypes .*application\/pdf/],
  [{ type: 'file', contentTypes: [] }, /\/contentTypes .*at least one/],
  [{ type: 'image', maxBytes: 20_000_001 }, /\/maxBytes .*at most 20000000/],
  [{ type: 'image', maxPages: 2 }, /\/maxPages .*does not apply to the type "image"/],
  [{ type: 'pdf', maxPixels: 2 }, /\/maxPixels .*does not apply/],
  [{ type: 'pdf', maxPages: 1_001 }, /\/maxPages .*at most 1000/],
  [{ type: 'audio', maxSeconds: 7_201 }, /\/maxSeconds .*at most 7200/],
  [{ type: 'video', pattern: 'x' }, /\/pattern .*does not apply/],
  [{ type: 'image', default: 'https://example.com/a.png' }, /\/default .*A file has no default/],
  [{ type: 'image', example: 'a.png' }, /\/example .*must be an https URL, a base64 data URL or "upload:"/],
  [{ maxBytes: 5 }, /\/maxBytes .*does not apply to the type "string"/],
  [{ required: true, default: 'x' }, /\/default .*never left out/],
  [{ minimum: 1 }, /\/minimum .*does not apply to the type "string"/],
  [{ type: 'integer', maxLength: 1 }, /does not apply/],
  [{ type: 'boolean', options: ['x'] }, /does not apply/],
  [{ type: 'enum', options: ['x'], pattern: 'x' }, /does not apply/],
  [{ type: 'number', minimum: 2, maximum: 1 }, /larger than `maximum`/],
  [{ type: 'integer', minimum: 0.5 }, /integers/],
  [{ type: 'integer', maximum: 2 ** 60 }, /integers/],
  [{ minLength: 3, maxLength: 2 }, /larger than `maxLength`/],
  [{ minLength: 10_001 }, /larger than `maxLength` \(10000 unless set\)/],
  [{ minLength: 1001, pattern: 'a' }, /\(1000 unless set\)/],
  [{ maxLength: 100_001 }, /at most 100000/],
  [{ maxLength: 1001, pattern: 'a' }, /at most 1000 where there is a pattern/],
  [{ pattern: '(?=a)' }, /\/pattern .*RE2/],
  [{ type: 'enum' }, /at least one option/],
  [{ type: 'enum', options: ['x', 'x'] }, /twice/],
  [{ type: 'enum', options: ['x'], default: 'y' }, /\/default .*must be one of "x"/],
  [{ type: 'integer', default: 1.5 }, /\/default .*integer/],
  [{ type: 'number', maximum: 1, example: 2 }, /\/example .*at most 1/],
  [{ default: 5 }, /\/default .*must be a string/],
  [{ pattern: '^a$', example: 'b' }, /\/example .*match the pattern/],
  [{ pattern: '^a$' }, /\/example .*Show buyers/],
  [{ maxLength: 2, default: 'abc' }, /\/default .*at most 2 characters/],
])('refuses %j', (parameter, message) => {
  const problems = check(parameter);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(message);
});

test('refuses a name used twice, telling both', () => {
  expect(check({}, { name: 'b' }, {})).toEqual(['/parameters/2/name The name `a` is already used by parameter 1.']);
});

test('refuses the forty-first parameter and the eleventh pattern', () => {
  const many = (count: number, more = {}) =>
    Array.from({ length: count }, (_, index) => ({ name: `p${index}`, ...more }));
  expect(check(...many(40))).toEqual([]);
  expect(check(...many(41))).toEqual(['/parameters A resource has at most 40 parameters.']);
  expect(check(...many(10, { pattern: 'x', example: 'x' }))).toEqual([]);
  expect(check(...many(11, { pattern: 'x', example: 'x' }))).toEqual([
    '/parameters At most 10 parameters may have a pattern.',
  ]);
});

test.each([[{ colour: 'red' }], [{ type: 'date' }], [{ minLength: -1 }], [{ default: {} }], [{ minimum: '1' }]])(
  'a draft cannot hold %j at all',
  (parameter) => expect(parameterSchema.safeParse({ name: 'a', ...parameter }).success).toBe(false),
);

test('files of one call that are together more than is carried are refused', () => {
  const file = { type: 'pdf', maxBytes: 15_000_000 };
  expect(check({ ...file, name: 'b' }, { ...file, name: 'c' })).toEqual([]);
  expect(check({ ...file, name: 'b' }, { ...file, name: 'c' }, { ...file, name: 'd' })).toEqual([
    expect.stringMatching(/^\/parameters The files of one call may have 45000000 bytes together/),
  ]);
});
