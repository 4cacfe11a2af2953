import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readNumber } from '#kit/index.ts';
import { publishedVersion } from '../../tests/support/execution-deps.ts';
import { checkFormula } from './check-formula.ts';
import { emptyDraft } from './draft.ts';
import { parameterSchema } from './parameter.ts';
import { parseInput } from './parse-input.ts';
import { priceFormulaSchema } from './price-formula.ts';
import type { PriceFormula } from './price-formula.ts';
import { priceLowest, priceOffers } from './price-offers.ts';
import { toInputSchema } from './to-input-schema.ts';

const [offer] = publishedVersion().offers;
const offersAt = (...amounts: bigint[]) =>
  amounts.map((amountAtomic) => ({ ...offer, amountAtomic }) as NonNullable<typeof offer>);

const parameters = [
  { name: 'count', type: 'integer', minimum: 2, maximum: 1_000_000 },
  { name: 'seconds', type: 'number', minimum: 0.5 },
  { name: 'text', type: 'string', minLength: 3, maxLength: 60 },
  { name: 'note', type: 'string', required: false, maxLength: 60 },
  { name: 'hd', type: 'boolean', default: false },
  { name: 'size', type: 'enum', options: ['small', 'large'] },
  { name: 'picture', type: 'image', required: false },
].map((parameter) => parameterSchema.parse(parameter));
const contract = { parameters, inputSchema: toInputSchema(parameters, { allowsUserMessage: false }) };

/** A decimal as a fraction of whole numbers, read by hand: nothing of it is shared with what is tested. */
function toFraction(text: string): [bigint, bigint] {
  const [, sign = '', whole = '0', places = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const shift = Number(exponent) - places.length;
  const digits = BigInt(`${sign}${whole}${places}`);
  return shift >= 0 ? [digits * 10n ** BigInt(shift), 1n] : [digits, 10n ** BigInt(-shift)];
}

function toAtomicByHand(parts: [string, string][], cap: bigint): bigint {
  const [above, below] = parts.reduce<[bigint, bigint]>(
    ([a, b], [price, units]) => {
      const [p, q] = toFraction(price);
      const [u, v] = toFraction(units);
      return [a * q * v + p * u * b, b * q * v];
    },
    [0n, 1n],
  );
  const scaled = above * 1_000_000n;
  const up = scaled / below + (scaled % below === 0n ? 0n : 1n);
  const least = up < 1n ? 1n : up;
  return least < cap ? least : cap;
}

const price = fc
  .tuple(fc.bigInt({ min: 0n, max: 10n ** 12n }), fc.integer({ min: 0, max: 18 }))
  .map(([units, places]) => {
    const digits = units.toString().padStart(places + 1, '0');
    const whole = digits
      .slice(0, digits.length - places)
      .slice(-6)
      .replace(/^0+(?=\d)/, '');
    return places === 0 ? whole : `${whole}.${digits.slice(digits.length - places)}`;
  });
const decimal = fc
  .tuple(fc.bigInt({ min: 1n, max: 10n ** 30n }), fc.integer({ min: 0, max: 20 }))
  .map(([units, places]) => `${units}.${'0'.repeat(places)}5`);

const anyCase = fc.record({
  prices: fc.array(price, { minLength: 8, maxLength: 8 }),
  cap: fc.bigInt({ min: 1n, max: 10n ** 15n }),
  count: fc.integer({ min: 2, max: 1_000_000 }),
  seconds: decimal,
  text: fc.string({ unit: 'grapheme', minLength: 3, maxLength: 10 }).filter((text) => Array.from(text).length <= 60),
  note: fc.option(fc.string({ unit: 'binary', maxLength: 20 }), { nil: undefined }),
  hd: fc.option(fc.boolean(), { nil: undefined }),
  size: fc.constantFrom('small', 'large'),
  hasPicture: fc.boolean(),
});

test('the price of any input is that of exact fractions, rounded up to one atomic unit, never nothing and never above the cap', () => {
  fc.assert(
    fc.property(anyCase, ({ prices, cap, seconds, hasPicture, ...given }) => {
      const [
        base = '0',
        perCount = '0',
        perSecond = '0',
        perText = '0',
        perNote = '0',
        hd = '0',
        small = '0',
        large = '0',
      ] = prices;
      const priceFormula: PriceFormula = {
        baseUsdc: base,
        terms: [
          { parameter: 'count', per: 'value', usdc: perCount },
          { parameter: 'seconds', per: 'value', usdc: perSecond },
          { parameter: 'text', per: 'character', usdc: perText },
          { parameter: 'note', per: 'character', usdc: perNote },
          { parameter: 'hd', per: 'true', usdc: hd },
          { parameter: 'size', usdcByOption: { small, large } },
          { parameter: 'picture', per: 'given', usdc: base },
        ],
      };
      const body = {
        ...given,
        seconds: readNumber(seconds),
        ...(hasPicture ? { picture: 'https://example.com/a.png' } : {}),
      };
      const parsed = parseInput(
        contract,
        Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined)),
      );
      if (!parsed.ok) {
        throw new Error(JSON.stringify(parsed.fields));
      }
      const found = priceOffers({ offers: offersAt(cap, cap + 1n), priceFormula }, parsed.input);
      const parts: [string, string][] = [
        [base, '1'],
        [perCount, String(given.count)],
        // What a double holds exactly is that double, and every digit of the rest counts.
        [perSecond, seconds],
        [perText, String(Array.from(given.text).length)],
        [perNote, String(Array.from(given.note ?? '').length)],
        [hd, given.hd ? '1' : '0'],
        [given.size === 'small' ? small : large, '1'],
        [base, hasPicture ? '1' : '0'],
      ];
      expect(found.map(({ amountAtomic }) => amountAtomic)).toEqual([
        toAtomicByHand(parts, cap),
        toAtomicByHand(parts, cap + 1n),
      ]);
      const [least] = priceLowest({ offers: offersAt(cap), priceFormula }, parameters);
      expect((least?.amountAtomic ?? 0n) <= (found[0]?.amountAtomic ?? 0n)).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test('without an input the offers say the most, without a formula the price', () => {
  const offers = offersAt(500n);
  const priceFormula: PriceFormula = { baseUsdc: '0', terms: [] };
  expect(priceOffers({ offers, priceFormula }, undefined)).toBe(offers);
  expect(priceOffers({ offers }, { count: 3 })).toBe(offers);
  expect(priceOffers({ offers, priceFormula }, {})).toEqual(offersAt(1n));
});

const drafts: [string, PriceFormula, string | null, string[]][] = [
  [
    'a formula that fits',
    { baseUsdc: '0.001', terms: [{ parameter: 'text', per: 'character', usdc: '0.000001' }] },
    '0.5',
    [],
  ],
  ['no most', { baseUsdc: '0.001', terms: [] }, null, ['/priceUsdc']],
  ['a most of nothing', { baseUsdc: '0.001', terms: [] }, '0', ['/priceUsdc']],
  [
    'an unknown parameter',
    { baseUsdc: '0', terms: [{ parameter: 'nope', per: 'value', usdc: '1' }] },
    '1',
    ['/priceFormula/terms/0'],
  ],
  [
    'the value of a text',
    { baseUsdc: '0', terms: [{ parameter: 'text', per: 'value', usdc: '1' }] },
    '1',
    ['/priceFormula/terms/0'],
  ],
  [
    'what is always given',
    { baseUsdc: '0', terms: [{ parameter: 'hd', per: 'given', usdc: '1' }] },
    '1',
    ['/priceFormula/terms/0'],
  ],
  [
    'an option without a price',
    { baseUsdc: '0', terms: [{ parameter: 'size', usdcByOption: { small: '1' } }] },
    '1',
    ['/priceFormula/terms/0'],
  ],
  [
    'an option that is none',
    { baseUsdc: '0', terms: [{ parameter: 'size', usdcByOption: { small: '1', large: '1', huge: '1' } }] },
    '1',
    ['/priceFormula/terms/0'],
  ],
  [
    'options of a number',
    { baseUsdc: '0', terms: [{ parameter: 'count', usdcByOption: {} }] },
    '1',
    ['/priceFormula/terms/0'],
  ],
  [
    'a parameter twice',
    {
      baseUsdc: '0',
      terms: [
        { parameter: 'text', per: 'character', usdc: '1' },
        { parameter: 'text', per: 'character', usdc: '1' },
      ],
    },
    '1',
    ['/priceFormula/terms/1/parameter'],
  ],
];

test.each(drafts.map(([what, priceFormula, priceUsdc, paths]) => ({ what, priceFormula, priceUsdc, paths })))(
  '$what',
  ({ priceFormula, priceUsdc, paths }) => {
    const found = checkFormula({ ...emptyDraft, slug: 'a', parameters, priceFormula, priceUsdc });
    expect(found.map(({ path }) => path)).toEqual(paths);
  },
);

test('a number that may be below zero has no price by its value', () => {
  const [problem] = checkFormula({
    ...emptyDraft,
    slug: 'a',
    parameters: [parameterSchema.parse({ name: 'n', type: 'number' })],
    priceFormula: { baseUsdc: '0', terms: [{ parameter: 'n', per: 'value', usdc: '1' }] },
    priceUsdc: '1',
  });
  expect(problem?.message).toContain('`minimum` of 0');
});

test('a term of no known form is told the forms that there are', () => {
  const words = { baseUsdc: '0', terms: [{ parameter: 'topic', per: 'word', usdc: '1' }] };
  const [issue] = priceFormulaSchema.safeParse(words).error?.issues ?? [];
  expect(issue?.message).toMatch(/^must be .*"character", "true" or "given".* or .*usdcByOption/);
});
