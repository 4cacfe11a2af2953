import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseCatalogue } from './parse-catalogue.ts';
import { readSnapshot } from './snapshot/read-snapshot.ts';

const plain = {
  id: 'maker/one',
  canonical_slug: 'maker/one-20260101',
  name: 'Maker: One',
  description: 'Reads and writes.',
  created: 1_767_225_600,
  context_length: 128_000,
  architecture: { input_modalities: ['text', 'image'], output_modalities: ['text'], tokenizer: 'Other' },
  pricing: { prompt: '0.0000010', completion: '0.000002' },
  top_provider: { context_length: 64_000, max_completion_tokens: 4_096, is_moderated: true },
  supported_parameters: ['tools', 'max_tokens'],
  expiration_date: '2027-01-31',
};

function parseOne(changes: Record<string, unknown>) {
  const parsed = parseCatalogue([{ ...plain, ...changes }]);
  return parsed.models[0] ?? parsed.skipped[0]?.reason;
}

test('an entry of the catalogue becomes a model with what it says, and nothing else', () => {
  expect(parseOne({ name: 'GPT-4o vision claude-3 tool caller' })).toMatchObject({
    inputModalities: ['image', 'text'],
  });
  expect(parseOne({})).toEqual({
    openrouterId: 'maker/one',
    canonicalSlug: 'maker/one-20260101',
    displayName: 'Maker: One',
    description: 'Reads and writes.',
    provider: 'maker',
    inputModalities: ['image', 'text'],
    outputModalities: ['text'],
    contextLength: 128_000,
    maxCompletionTokens: 4_096,
    supportedParameters: ['max_tokens', 'tools'],
    pricing: { prompt: '0.000001', completion: '0.000002' },
    isFree: false,
    isRouter: false,
    expirationDate: '2027-01-31',
    publishedAt: '2026-01-01T00:00:00.000Z',
    oddFields: [],
    extra: { architecture: { tokenizer: 'Other' }, top_provider: { context_length: 64_000, is_moderated: true } },
  });
});

test('an entry of the catalogue is read without its optional fields', () => {
  const { id, architecture, pricing } = plain;
  expect(parseCatalogue([{ id, architecture, pricing }]).models[0]).toMatchObject({
    canonicalSlug: 'maker/one',
    displayName: 'maker/one',
    contextLength: null,
    maxCompletionTokens: null,
    supportedParameters: [],
    expirationDate: null,
    publishedAt: null,
  });
  expect(
    parseOne({ context_length: -5, top_provider: null, created: 'soon', expiration_date: '2027-02-30' }),
  ).toMatchObject({
    contextLength: null,
    maxCompletionTokens: null,
    publishedAt: null,
    expirationDate: null,
  });
});

test.each([
  ['every price zero', { prompt: '0', completion: '0.0', request: 0 }, { isFree: true, isRouter: false }],
  ['only an image price', { prompt: '0', completion: '0', image_output: '0.01' }, { isFree: false }],
  [
    'an unknown key',
    { prompt: '0', completion: '0', per_dance: '0.2' },
    { isFree: false, pricing: { prompt: '0', completion: '0', per_dance: '0.2' } },
  ],
  [
    'a tier that costs',
    { prompt: '0', completion: '0', overrides: [{ min_prompt_tokens: 1, prompt: '1' }] },
    { isFree: false },
  ],
  ['a router', { prompt: '-1', completion: '-1' }, { isRouter: true, isFree: false }],
  [
    'exponents and numbers',
    { prompt: '3E-7', completion: 5e-7 },
    { pricing: { prompt: '0.0000003', completion: '0.0000005' } },
  ],
  [
    'a discount',
    { prompt: '0', completion: '0', discount: 0.25 },
    { isFree: true, pricing: { prompt: '0', completion: '0', discount: '0.25' } },
  ],
])('reads prices: %s', (_what, pricing, expected) => {
  expect(parseOne({ pricing })).toMatchObject(expected);
});

test.each([
  ['an id with a script', { id: 'maker/<script>' }, 'unreadable id'],
  ['an id with spaces', { id: 'maker/one two' }, 'unreadable id'],
  ['an id without a maker', { id: 'one' }, 'unreadable id'],
])('skips a catalogue entry with %s', (_what, changes, reason) => {
  expect(parseOne(changes)).toBe(reason);
});

test('one bad catalogue entry spoils nothing; entries listed twice are skipped and counted', () => {
  const parsed = parseCatalogue([null, 'text', 7, [], plain, { ...plain, name: 'Again' }, { id: 'x/y' }]);
  expect(parsed.models.map((model) => model.displayName)).toEqual(['Maker: One']);
  expect(parsed.skipped.map((entry) => entry.reason)).toEqual([
    'not an object',
    'not an object',
    'not an object',
    'not an object',
    'listed twice',
    'unreadable architecture.input_modalities',
  ]);
});

test('texts of the catalogue lose control, direction and unpaired characters and have a limit', () => {
  const parsed = parseOne({
    name: 'A\u0000B\u001B[31m\u202Eevil\u2066 \uD800 \u{1F468}\u200D\u{1F469} name\r\nnext',
    description: `x\u0007\n${'d'.repeat(9_000)}`,
  });
  expect(parsed).toMatchObject({ displayName: 'AB[31mevil  \u{1F468}\u200D\u{1F469} name next' });
  expect(parsed).toHaveProperty('description', `x\n${'d'.repeat(3_997)}`);
});

test.each<[string, string, string, boolean]>([
  ['text', 'maker/one', 'text', true],
  ['films', 'maker/one', 'video', false],
  ['speech', 'maker/one', 'speech', false],
  ['films by a model that is called free', 'maker/one:free', 'video', true],
])('prices of zero make %s free only where the price stands in this list', (_what, ...[id, output, isFree]) => {
  const architecture = { input_modalities: ['text'], output_modalities: [output] };
  expect(parseOne({ id, architecture, pricing: { prompt: '0', completion: '0' } })).toMatchObject({ isFree });
});

test('fields of the catalogue that have no column are kept within bounds and cannot reach prototypes', () => {
  const bomb = JSON.parse(`{"__proto__": {"isAdmin": true}, "huge": "${'x'.repeat(100_000)}", "nul": "a\\u0000b"}`);
  const many = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`key${index}`, 'v'.repeat(400)]));
  const parsed = parseOne({ ...many, bomb });
  expect(JSON.stringify(parsed).length).toBeLessThan(12_000);
  expect(JSON.stringify(parsed)).not.toContain(String.raw`\u0000`);
  expect(Object.prototype).not.toHaveProperty('isAdmin');
  expect(parsed).not.toHaveProperty('isAdmin');
});

test('parseCatalogue never throws, whatever it is given', () => {
  const mutated = fc.record(
    Object.fromEntries(Object.entries(plain).map(([key, value]) => [key, fc.oneof(fc.constant(value), fc.anything())])),
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.anything(), mutated), { maxLength: 5 }), (raw) => {
      const parsed = parseCatalogue(raw);
      expect(parsed.models.length + parsed.skipped.length).toBe(raw.length);
    }),
    { numRuns: 500 },
  );
});

test('parseCatalogue reads every entry of the snapshot that ships', async () => {
  const { models } = await readSnapshot();
  const parsed = parseCatalogue(models);
  expect(parsed.skipped).toEqual([]);
  expect(parsed.models.length).toBeGreaterThan(350);
});
