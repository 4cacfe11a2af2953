import fc from 'fast-check';
import { expect, test } from 'vitest';
import { publishedVersion } from '../../tests/support/execution-deps.ts';
import { toBatch } from './batch-version.ts';
import { checkBatch } from './check-batch.ts';
import { emptyDraft } from './draft.ts';
import { parameterSchema } from './parameter.ts';
import { parseInput } from './parse-input.ts';
import type { PriceFormula } from './price-formula.ts';
import { priceLowest, priceOffers } from './price-offers.ts';
import type { PublishedVersion } from './resource-kind.ts';
import { toInputSchema } from './to-input-schema.ts';

const parameters = [
  parameterSchema.parse({ name: 'text', type: 'string', maxLength: 40 }),
  parameterSchema.parse({ name: 'count', type: 'integer', minimum: 0, maximum: 1_000, default: 3 }),
];
const [offer] = publishedVersion().offers;

function sold(fields: Partial<PublishedVersion> = {}, amounts: readonly bigint[] = [20_000n]): PublishedVersion {
  return {
    ...publishedVersion(),
    parameters,
    inputSchema: toInputSchema(parameters, { allowsUserMessage: false }),
    priceAtomic: amounts[0] ?? 0n,
    offers: amounts.map((amountAtomic) => ({ ...offer, amountAtomic }) as NonNullable<typeof offer>),
    batch: { maxInputs: 1_000 },
    ...fields,
  };
}

const amount = fc.bigInt({ min: 1n, max: 5_000_000n });
const unit = fc.integer({ min: 0, max: 999_999 }).map((places) => `0.0000${String(places).padStart(6, '0')}`);
const formula: fc.Arbitrary<PriceFormula> = fc.record({ baseUsdc: unit, text: unit, count: unit }).map((prices) => ({
  baseUsdc: prices.baseUsdc,
  terms: [
    { parameter: 'text', per: 'character', usdc: prices.text },
    { parameter: 'count', per: 'value', usdc: prices.count },
  ],
}));
const input = fc.record({
  text: fc.string({ minLength: 0, maxLength: 40 }),
  count: fc.integer({ min: 0, max: 1_000 }),
});
const inputs = fc.array(input, { minLength: 1, maxLength: 60 });

const amounts = (offers: readonly { amountAtomic: bigint }[]) => offers.map(({ amountAtomic }) => amountAtomic);

test('many inputs cost exactly what they cost one by one, in each offer, at a fixed price and by a formula', () => {
  fc.assert(
    fc.property(
      fc.array(amount, { minLength: 1, maxLength: 3 }),
      fc.option(formula),
      inputs,
      (prices, priceFormula, many) => {
        const one = sold(priceFormula ? { priceFormula } : {}, prices);
        const parsed = parseInput(toBatch(one), { inputs: many });
        const apart = many.map((each) => {
          const read = parseInput(one, each);
          return amounts(priceOffers(one, read.ok ? read.input : undefined));
        });
        const sums = prices.map((_, index) => apart.reduce((sum, each) => sum + (each[index] ?? 0n), 0n));
        expect(parsed.ok && amounts(priceOffers(toBatch(one), parsed.input))).toEqual(sums);
      },
    ),
  );
});

test('without its inputs it is at the most that they can cost, and the least is what one costs', () => {
  const one = sold({ batch: { maxInputs: 7 } });
  expect(toBatch(one)).toMatchObject({
    priceAtomic: 140_000n,
    settlementPoint: 'upfront',
    runsLong: true,
    batchOf: one,
    inputSchema: { properties: { inputs: { maxItems: 7 } }, required: ['inputs'] },
  });
  expect(amounts(priceOffers(toBatch(one), undefined))).toEqual([140_000n]);
  expect(amounts(priceLowest(toBatch(one), parameters))).toEqual([20_000n]);
  expect(toBatch(one)).toBe(toBatch(one));
});

test('what was replaced lately can be paid by the offers of then, where it took many inputs', () => {
  const { offers, publishedAt, versionId, timeoutSeconds } = sold({}, [5_000n]);
  const replaced = {
    offers,
    publishedAt,
    versionId,
    timeoutSeconds,
    settlementPoint: 'on_success' as const,
    until: publishedAt,
  };
  const one = sold({ superseded: [{ ...replaced, batch: { maxInputs: 2 } }, replaced] });
  const { superseded } = toBatch(one);
  expect(superseded).toMatchObject([{ settlementPoint: 'upfront', runsLong: true }]);
  expect(superseded.map((old) => amounts(priceOffers(old, { inputs: [{}, {}] })))).toEqual([[10_000n]]);
});

test('inputs are read as each would be alone, and what does not fit is named by its place', () => {
  const batch = toBatch(sold({ batch: { maxInputs: 3 } }));
  expect(parseInput(batch, { inputs: [{ text: 'a' }, { text: 'b', count: null }] })).toEqual({
    ok: true,
    input: {
      inputs: [
        { text: 'a', count: 3 },
        { text: 'b', count: 3 },
      ],
    },
  });
  const bad = parseInput(batch, { inputs: [{ text: 'a' }, 7, { count: 2, more: 1 }] });
  expect(bad.ok ? [] : bad.fields.map(({ path }) => path).toSorted()).toEqual([
    '/inputs/1',
    '/inputs/2/more',
    '/inputs/2/text',
  ]);
  for (const body of [null, [], {}, { inputs: 'a' }, { inputs: [], more: 1 }]) {
    expect(parseInput(batch, body)).toMatchObject({ ok: false, fields: [{ path: '' }] });
  }
  for (const count of [0, 4]) {
    const many = { inputs: Array.from({ length: count }, () => ({ text: 'a' })) };
    expect(parseInput(batch, many)).toMatchObject({ ok: false, fields: [{ path: '/inputs' }] });
  }
});

test('a draft that cannot be sold so does not say so', () => {
  const draft = { ...emptyDraft, slug: 'many', batch: { maxInputs: 10 }, parameters };
  const kind = { settlementPoints: ['on_success'] } as unknown as Parameters<typeof checkBatch>[1];
  const upfront = { settlementPoints: ['upfront'] } as unknown as Parameters<typeof checkBatch>[1];
  const { offers } = sold();
  expect(checkBatch(draft, upfront, offers)).toEqual([]);
  expect(checkBatch({ ...draft, batch: null }, kind, [])).toEqual([]);
  const file = parameterSchema.parse({ name: 'picture', type: 'image' });
  expect(checkBatch({ ...draft, parameters: [file] }, kind, []).map(({ path }) => path)).toEqual([
    '/batch',
    '/batch',
    '/batch',
  ]);
});
