import { expect, test } from 'vitest';
import { knownModel } from '../../tests/support/execution-deps.ts';
import type { KnownModel } from './execution-deps.ts';
import { listModelWarnings } from './list-model-warnings.ts';

const quote = { typicalUsd: '0.03898', worstUsd: '0.1918', basis: 'one picture.' };
const offer = (amountAtomic: bigint) => ({ scheme: 'exact', network: 'eip155:84532', amountAtomic, payTo: '0x1' });
const clock = { now: () => Date.parse('2026-11-21T12:00:00Z') };

function warn(given: { models?: KnownModel[]; names?: string[]; amounts?: bigint[]; quote?: typeof quote | null }) {
  const { models = [knownModel()], names = ['acme/poet'], amounts = [1_000_000n] } = given;
  const deps = { findModel: (id: string) => models.find(({ openrouterId }) => openrouterId === id) ?? null, clock };
  return listModelWarnings(deps, {
    named: names.map((modelId, index) => ({ modelId, path: `/config/${index}` })),
    offers: amounts.map(offer),
    quote: given.quote === undefined ? quote : given.quote,
  });
}

test('a picture that costs 0.039 and is sold for 0.02 loses money on every call', async () => {
  expect(await warn({ amounts: [20_000n] })).toEqual([
    {
      path: '/priceUsdc',
      message:
        'You lose money on every call: one typically costs you 0.03898 USD, at worst 0.1918 USD, and the price is 0.02 USDC. Assumed: one picture.',
    },
  ]);
});

test('a price between the typical and the worst cost may lose money, one above both does not', async () => {
  expect((await warn({ amounts: [50_000n] }))[0]?.message).toMatch(
    /^A call can cost you more than it brings: at worst 0.1918/,
  );
  expect(await warn({ amounts: [191_800n] })).toEqual([]);
});

test('the lowest of several offers counts, and a free resource costs its creator something', async () => {
  expect((await warn({ amounts: [500_000n, 20_000n] }))[0]?.message).toContain('the price is 0.02 USDC');
  expect((await warn({ amounts: [] }))[0]?.message).toContain('the price is 0 USDC');
});

test('a cost that is not known is said, and not taken for nothing', async () => {
  expect(await warn({ quote: null })).toEqual([
    { path: '/priceUsdc', message: 'What a call costs you is not known before it, so neither is your margin.' },
  ]);
});

test.each<[string, Partial<KnownModel>, string[], string]>([
  ['a router', { isRouter: true }, ['acme/poet'], 'A router picks a model for each call by itself.'],
  [
    'a preset',
    {},
    ['acme/poet@preset/terse'],
    'The preset "terse" of your OpenRouter account may change model, prompt and limits, which is not seen here.',
  ],
  ['another spelling', {}, ['Acme/Poet'], 'This is read as acme/poet.'],
  [
    'a model that the list lacks',
    { missingSince: '2026-11-20T03:00:00Z' },
    ['acme/poet'],
    "OpenRouter's list lacks acme/poet since 2026-11-20T03:00:00Z. If it stays away, this can be sold no longer.",
  ],
  [
    'a model of which the list says what cannot be read',
    { oddFields: [{ field: 'pricing.prompt', found: 'null' }], oddSince: '2026-11-20T03:00:00Z' },
    ['acme/poet'],
    "OpenRouter's list says of acme/poet what cannot be read since 2026-11-20T03:00:00Z (pricing.prompt); what it said before is used.",
  ],
  ['a model that ends', { expirationDate: '2026-12-31' }, ['acme/poet'], 'OpenRouter ends acme/poet on 2026-12-31.'],
])('the creator is told of %s', async (...[, model, names, message]) => {
  expect(await warn({ models: [knownModel(model)], names })).toEqual([{ path: '/config/0', message }]);
});

test('the creator is told which model stands in for one that is gone', async () => {
  const models = [knownModel({ openrouterId: 'acme/gone', isActive: false }), knownModel()];
  expect(await warn({ models, names: ['acme/gone', 'acme/poet'] })).toEqual([
    { path: '/config/0', message: 'The model "acme/gone" is no longer offered. Calls run on acme/poet.' },
  ]);
});
