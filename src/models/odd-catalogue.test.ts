/**
 * Shapes of catalogue entries that were seen in the field or reported, and what is right for each. A row is added per
 * report; every row runs against a model that an earlier, good list has described, and against one that nobody knows yet.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hostileMembers } from '../../tests/support/hostile-json.ts';
import { parseCatalogue } from './parse-catalogue.ts';

const good = {
  id: 'maker/one',
  canonical_slug: 'maker/one-20260101',
  name: 'Maker: One',
  description: 'Reads and writes.',
  created: 1_767_225_600,
  context_length: 128_000,
  architecture: { input_modalities: ['text'], output_modalities: ['text'] },
  pricing: { prompt: '0.000001', completion: '0.000002', request: '0.01' },
  top_provider: { max_completion_tokens: 4_096 },
  supported_parameters: ['max_tokens', 'tools'],
  expiration_date: null,
};
const [first] = parseCatalogue([good]).models;
const known = new Map(first ? [[first.openrouterId, first]] : []);

/** `null`: the entry is read as it is. `asNew`: what becomes of a model that no earlier list has described. */
interface Row {
  shape: string;
  change: Record<string, unknown>;
  odd: { field: string; found: string } | null;
  asNew: 'left out' | 'taken in';
}

const price = (change: object) => ({ pricing: { ...good.pricing, ...change } });
const tier = (...tiers: unknown[]) => price({ overrides: tiers });
const lists = (change: object) => ({ architecture: { ...good.architecture, ...change } });

const rows: Row[] = [
  {
    shape: 'a null price',
    change: price({ prompt: null }),
    odd: { field: 'pricing.prompt', found: 'null' },
    asNew: 'left out',
  },
  {
    shape: 'a null where the model had a fee',
    change: price({ request: null }),
    odd: { field: 'pricing.request', found: 'null' },
    asNew: 'taken in',
  },
  { shape: 'a null where there never was a price', change: price({ web_search: null }), odd: null, asNew: 'taken in' },
  {
    shape: 'an object instead of a price',
    change: price({ prompt: { usd: '0.1', per: 'million' } }),
    odd: { field: 'pricing.prompt', found: 'an object with usd, per' },
    asNew: 'left out',
  },
  {
    shape: 'a list instead of a price',
    change: price({ completion: ['0.1', '0.2'] }),
    odd: { field: 'pricing.completion', found: 'a list of 2' },
    asNew: 'left out',
  },
  {
    shape: 'a price with a currency',
    change: price({ prompt: '$0.1' }),
    odd: { field: 'pricing.prompt', found: '"$0.1"' },
    asNew: 'left out',
  },
  {
    shape: 'an empty price',
    change: price({ prompt: '' }),
    odd: { field: 'pricing.prompt', found: '""' },
    asNew: 'left out',
  },
  {
    shape: 'a negative price',
    change: price({ prompt: '-0.5' }),
    odd: { field: 'pricing.prompt', found: '"-0.5"' },
    asNew: 'left out',
  },
  {
    shape: 'no prices',
    change: { pricing: undefined },
    odd: { field: 'pricing', found: 'missing' },
    asNew: 'left out',
  },
  {
    shape: 'prices that are null',
    change: { pricing: null },
    odd: { field: 'pricing', found: 'null' },
    asNew: 'left out',
  },
  {
    shape: 'a missing price',
    change: { pricing: { completion: '0.1' } },
    odd: { field: 'pricing.prompt', found: 'missing' },
    asNew: 'left out',
  },
  {
    shape: 'numbers instead of strings',
    change: { pricing: { prompt: 1e-6, completion: 0.000002, request: 0.01 } },
    odd: null,
    asNew: 'taken in',
  },
  {
    shape: 'scientific notation',
    change: { pricing: { prompt: '1E-6', completion: '2e-06', request: '1.0e-2' } },
    odd: null,
    asNew: 'taken in',
  },
  {
    shape: 'a condition that is not understood',
    change: tier({ utc_days: ['someday'], prompt: '0.5' }),
    odd: { field: 'pricing.overrides.0.utc_days.0', found: '"someday"' },
    asNew: 'left out',
  },
  {
    shape: 'a condition that nobody knows',
    change: tier({ min_prompt_tokens: 1, region: 'eu', prompt: '0.5' }),
    odd: { field: 'pricing.overrides.0.region', found: '"eu"' },
    asNew: 'left out',
  },
  {
    shape: 'a tier without a condition',
    change: tier({ prompt: '0.5' }),
    odd: { field: 'pricing.overrides.0', found: 'an object with prompt' },
    asNew: 'left out',
  },
  {
    shape: 'tiers that are no list',
    change: price({ overrides: { above_200k: { prompt: '0.5' } } }),
    odd: { field: 'pricing.overrides', found: 'an object with above_200k' },
    asNew: 'left out',
  },
  {
    shape: 'tiers under a name that nobody knows',
    change: price({ context_tiers: [{ above: 200_000, prompt: '0.5' }] }),
    odd: { field: 'pricing.context_tiers', found: 'a list of 1' },
    asNew: 'left out',
  },
  {
    shape: 'a date from which the prices hold',
    change: price({ valid_from: '2027-01-01' }),
    odd: { field: 'pricing.valid_from', found: '"2027-01-01"' },
    asNew: 'left out',
  },
  {
    shape: 'an empty list of modalities',
    change: lists({ output_modalities: [] }),
    odd: { field: 'architecture.output_modalities', found: 'an empty list' },
    asNew: 'left out',
  },
  {
    shape: 'modalities in words that nobody knows',
    change: lists({ input_modalities: ['Text & more', 7] }),
    odd: { field: 'architecture.input_modalities', found: 'a list of 2' },
    asNew: 'left out',
  },
  {
    shape: 'no architecture',
    change: { architecture: null },
    odd: { field: 'architecture.input_modalities', found: 'missing' },
    asNew: 'left out',
  },
  {
    shape: 'parameters that are missing',
    change: { supported_parameters: undefined },
    odd: { field: 'supported_parameters', found: 'missing' },
    asNew: 'taken in',
  },
  {
    shape: 'an empty list of parameters',
    change: { supported_parameters: [] },
    odd: { field: 'supported_parameters', found: 'an empty list' },
    asNew: 'taken in',
  },
  { shape: 'a length that is text', change: { context_length: '128000' }, odd: null, asNew: 'taken in' },
  {
    shape: 'a negative length',
    change: { context_length: -5 },
    odd: { field: 'context_length', found: '-5' },
    asNew: 'taken in',
  },
  {
    shape: 'no provider behind the model',
    change: { top_provider: null },
    odd: { field: 'top_provider.max_completion_tokens', found: 'missing' },
    asNew: 'taken in',
  },
  {
    shape: 'an end on a day that is none',
    change: { expiration_date: '2027-02-30' },
    odd: { field: 'expiration_date', found: '"2027-02-30"' },
    asNew: 'taken in',
  },
  { shape: 'a name that is null', change: { name: null }, odd: { field: 'name', found: 'null' }, asNew: 'taken in' },
  {
    shape: 'a creation in words',
    change: { created: 'soon' },
    odd: { field: 'created', found: '"soon"' },
    asNew: 'taken in',
  },
];

test.each(rows)('a listed model with $shape is what the last good list said', ({ change, odd }) => {
  const { models, skipped } = parseCatalogue([JSON.parse(JSON.stringify({ ...good, ...change }))], known);
  const { oddFields, extra: _, ...model } = models[0] ?? { oddFields: [] };
  const { oddFields: _none, extra: _more, ...last } = first ?? { oddFields: [] };
  expect(skipped).toEqual([]);
  expect(model).toEqual(last);
  expect(oddFields[0] ?? null).toEqual(odd);
});

test.each(rows)('a new model with $shape is $asNew', ({ change, asNew }) => {
  const { models, skipped } = parseCatalogue([JSON.parse(JSON.stringify({ ...good, ...change }))]);
  expect([models.length, skipped.length]).toEqual(asNew === 'taken in' ? [1, 0] : [0, 1]);
});

test('of an odd entry everything else is believed', () => {
  const { models } = parseCatalogue([{ ...good, pricing: null, context_length: 256_000, name: 'Maker: Two' }], known);
  expect(models[0]).toMatchObject({
    displayName: 'Maker: Two',
    contextLength: 256_000,
    pricing: { prompt: '0.000001', completion: '0.000002', request: '0.01' },
    isFree: false,
    oddFields: [{ field: 'pricing', found: 'null' }],
  });
});

test('an entry whose first fault hides others tells them all', () => {
  const { models } = parseCatalogue([{ id: good.id, pricing: { prompt: null, completion: null } }], known);
  expect(models[0]?.oddFields.map(({ field }) => field)).toEqual([
    'architecture.input_modalities',
    'architecture.output_modalities',
    'pricing.prompt',
    'canonical_slug',
    'name',
    'description',
    'created',
    'context_length',
    'top_provider.max_completion_tokens',
    'supported_parameters',
  ]);
});

test('whatever a list says of a model, it keeps prices and modalities that can be used', () => {
  const anything = fc.record(
    Object.fromEntries(Object.entries(good).map(([key, value]) => [key, fc.oneof(fc.constant(value), fc.anything())])),
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(anything, (fields) => {
      const { models, skipped } = parseCatalogue([{ ...fields, id: good.id }], known);
      expect(skipped).toEqual([]);
      expect(models[0]?.inputModalities.length).toBeGreaterThan(0);
      expect(models[0]?.outputModalities.length).toBeGreaterThan(0);
      expect(models[0]?.pricing.prompt).toMatch(/^(-1|\d+(\.\d+)?)$/);
    }),
  );
});

test('an entry that holds anything spoils nothing else', () => {
  const names = [
    ...Object.keys(good),
    'prompt',
    'completion',
    'overrides',
    'input_modalities',
    'max_completion_tokens',
  ];
  fc.assert(
    fc.property(hostileMembers(names), hostileMembers(names), (entry, inner) => {
      const odd = { ...good, id: 'maker/odd', pricing: { ...good.pricing, ...inner }, ...entry };
      expect(parseCatalogue([odd, good], known).models.map(({ openrouterId }) => openrouterId)).toContain('maker/one');
      expect(parseCatalogue([entry, good]).models).toHaveLength(1);
    }),
  );
});
