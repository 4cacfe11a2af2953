import fc from 'fast-check';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { anonymous, formatUsdc, newId, type User } from '#kit/index.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import {
  NETWORK,
  openToyResources,
  OTHER_NETWORK,
  PAY_TO,
  perform,
  publishToy,
  storeDraft,
} from '../../tests/support/toy-resources.ts';
import {
  createResource,
  getResource,
  listResources,
  listResourceVersions,
  openPublished,
  publishResource,
  updateResource,
  type ResourcesDeps,
} from './index.ts';

const database = useTestDatabase();
const networks = Array.from({ length: 9 }, (_, index) => `eip155:${index + 1}`);
const OTHER_PAYEE = '0x857b06519E91e3A54538791bDbb0E22373e36b66';
let toy: ReturnType<typeof openToyResources>;
let deps: ResourcesDeps;
let ada: User;

beforeAll(async () => {
  ada = await openToyResources(database.current).addUser('ada');
});

beforeEach(() => {
  toy = openToyResources(database.current);
  deps = toy.deps;
});

const anySlug = () => `s-${newId()}`;
const findVersion = async (id: string) => openPublished({ database: database.current, clock: toy.clock }).findById(id);
const further = { network: OTHER_NETWORK, payTo: OTHER_PAYEE, priceUsdc: '0.02' };

async function refusals(fields: Record<string, unknown>) {
  const { id } = await storeDraft(deps, ada, { slug: anySlug(), ...fields });
  const problem: unknown = await perform(publishResource, [deps, ada], { id }).catch((error: unknown) => error);
  return (problem as { fields?: { path: string; message: string }[] }).fields ?? problem;
}

test('what is published comes back as the same offers, in the same order', async () => {
  const payable = networks.map((network) => ({ scheme: 'exact', network }));
  deps = { ...deps, payable, checkPayTo: (_network, value) => ({ value }) };
  const offer = fc.record({
    network: fc.constantFrom(...networks),
    amountAtomic: fc.bigInt({ min: 1n, max: 1_000_000_000n }),
    payTo: fc.constantFrom(PAY_TO, OTHER_PAYEE),
  });
  const offers = fc.uniqueArray(offer, { minLength: 1, maxLength: 9, selector: ({ network }) => network });
  await fc.assert(
    fc.asyncProperty(offers, async (wanted) => {
      const [first, ...rest] = wanted.map(({ amountAtomic, ...given }) => ({
        ...given,
        priceUsdc: formatUsdc(amountAtomic),
      }));
      const { id, published } = await publishToy(deps, ada, { slug: anySlug(), ...first, furtherOffers: rest });
      expect(published?.offers).toEqual([first, ...rest].map((shown) => ({ scheme: 'exact', ...shown })));
      expect(await findVersion(id)).toMatchObject({
        priceAtomic: wanted[0]?.amountAtomic,
        offers: wanted.map((stored) => ({ scheme: 'exact', ...stored })),
      });
    }),
    { numRuns: 25 },
  );
});

test('what a further offer leaves out is taken from the first', async () => {
  const { published } = await publishToy(deps, ada, { slug: anySlug(), furtherOffers: [{ network: OTHER_NETWORK }] });
  expect(published?.offers).toEqual([
    { scheme: 'exact', network: NETWORK, priceUsdc: '0.01', payTo: PAY_TO },
    { scheme: 'exact', network: OTHER_NETWORK, priceUsdc: '0.01', payTo: PAY_TO },
  ]);
});

describe('publishing refuses, by path,', () => {
  test.each([
    ['a network that is not offered', { ...further, network: 'eip155:1' }, '/furtherOffers/0/network'],
    ['a scheme that is not offered', { ...further, scheme: 'cash' }, '/furtherOffers/0/scheme'],
    ['a price that is none', { ...further, priceUsdc: '1e3' }, '/furtherOffers/0/priceUsdc'],
    ['a price above the ceiling', { ...further, priceUsdc: '1000.1' }, '/furtherOffers/0/priceUsdc'],
    ['an offer for nothing beside a price', { ...further, priceUsdc: '0' }, '/furtherOffers/0/priceUsdc'],
    ['an address that is none', { ...further, payTo: 'ada.eth' }, '/furtherOffers/0/payTo'],
    ['the network of the first offer again', { network: NETWORK, payTo: OTHER_PAYEE }, '/furtherOffers/0/network'],
  ])('%s', async (_, offer, path) => {
    expect(await refusals({ furtherOffers: [offer] })).toEqual([{ path, message: expect.any(String) }]);
  });

  test('the second of two further offers on one network', async () => {
    expect(await refusals({ furtherOffers: [further, { ...further, priceUsdc: '3' }] })).toMatchObject([
      { path: '/furtherOffers/1/network' },
    ]);
  });

  test('further offers of a free resource', async () => {
    expect(await refusals({ priceUsdc: '0', furtherOffers: [further] })).toMatchObject([{ path: '/furtherOffers' }]);
  });

  test('what the first offer lacks once, however many offers take it over', async () => {
    const furtherOffers = [{ network: OTHER_NETWORK }, { network: 'eip155:1' }];
    expect(await refusals({ payTo: 'ada.eth', priceUsdc: null, furtherOffers })).toMatchObject([
      { path: '/priceUsdc' },
      { path: '/payTo' },
      { path: '/furtherOffers/1/network' },
    ]);
  });

  test('an inherited address that the further network does not have', async () => {
    const checkPayTo: ResourcesDeps['checkPayTo'] = (network, text) =>
      network === NETWORK ? { value: text } : { message: 'No such address here.' };
    deps = { ...deps, checkPayTo };
    expect(await refusals({ furtherOffers: [{ network: OTHER_NETWORK }] })).toEqual([
      { path: '/furtherOffers/0/payTo', message: 'No such address here.' },
    ]);
  });
});

test.each([
  ['nine further offers', { furtherOffers: networks.map((network) => ({ network })) }],
  ['a further offer without a network', { furtherOffers: [{ payTo: PAY_TO }] }],
  ['an unknown field in an offer', { furtherOffers: [{ ...further, asset: '0x0' }] }],
  ['a settlement point that does not exist', { settlementPoint: 'whenever' }],
])('a draft cannot hold %s', (_, fields) => {
  expect(createResource.input.safeParse({ kind: 'toy', slug: 'a', ...fields }).success).toBe(false);
});

test('a free resource has no offers, and needs neither network nor payee', async () => {
  const { id, published } = await publishToy(deps, ada, {
    slug: anySlug(),
    priceUsdc: '0',
    network: null,
    payTo: null,
  });
  expect(published).toMatchObject({ priceUsdc: '0', offers: [] });
  expect(await findVersion(id)).toMatchObject({ priceAtomic: 0n, offers: [] });
});

describe('replaced versions', () => {
  const republish = async (id: string, fields: Record<string, unknown>) => {
    await perform(updateResource, [deps, ada], { id, ...fields });
    await perform(publishResource, [deps, ada], { id });
  };

  test('all offers of the version before stand while a buyer may hold them', async () => {
    const { id } = await publishToy(deps, ada, { slug: anySlug(), furtherOffers: [further] });
    const before = await findVersion(id);
    await republish(id, { furtherOffers: [] });
    const after = await findVersion(id);
    expect(after?.offers).toHaveLength(1);
    expect(after?.superseded).toMatchObject([{ versionId: before?.versionId, offers: before?.offers }]);
    expect(before?.offers).toHaveLength(2);
    toy.clock.nowMs += 120_000;
    expect(await findVersion(id)).toMatchObject({ superseded: [] });
  });

  test('another settlement point supersedes the same offers', async () => {
    toy.kind.settlementPoints = ['on_success', 'upfront'];
    const { id } = await publishToy(deps, ada, { slug: anySlug() });
    await republish(id, { settlementPoint: 'upfront' });
    expect(await findVersion(id)).toMatchObject({
      settlementPoint: 'upfront',
      superseded: [{ settlementPoint: 'on_success' }],
    });
  });

  test('a free version before leaves nothing to be paid', async () => {
    const { id } = await publishToy(deps, ada, { slug: anySlug(), priceUsdc: '0' });
    await republish(id, { priceUsdc: '1' });
    expect(await findVersion(id)).toMatchObject({ priceAtomic: 1_000_000n, superseded: [] });
  });
});

test('the first offer may be of another scheme, which further ones then take over', async () => {
  const payable = [NETWORK, OTHER_NETWORK].map((network) => ({ scheme: 'cash', network }));
  deps = { ...deps, payable: [...deps.payable, ...payable] };
  const fields = { slug: anySlug(), scheme: 'cash', furtherOffers: [further, { network: NETWORK, scheme: 'exact' }] };
  const { id } = await publishToy(deps, ada, fields);
  const version = await findVersion(id);
  expect(version?.offers.map(({ scheme, network }) => [scheme, network])).toEqual([
    ['cash', NETWORK],
    ['cash', OTHER_NETWORK],
    ['exact', NETWORK],
  ]);
  expect(await refusals({ scheme: 'barter' })).toMatchObject([{ path: '/scheme' }]);
});

describe('the settlement point', () => {
  test('is on_success where the kind says nothing else', async () => {
    expect(await refusals({ settlementPoint: 'upfront' })).toMatchObject([
      { path: '/settlementPoint', message: expect.stringContaining('on_success') },
    ]);
  });

  test.each(['at_first_output', 'upfront'] as const)(
    '%s is published and shown where the kind offers it',
    async (point) => {
      toy.kind.settlementPoints = ['on_success', point];
      const { id, published } = await publishToy(deps, ada, { slug: anySlug(), settlementPoint: point });
      expect(published).toMatchObject({ settlementPoint: point });
      expect(await findVersion(id)).toMatchObject({ settlementPoint: point });
      const shown = await perform(getResource, [deps, anonymous], { id });
      expect(shown).toMatchObject({ view: 'public', settlementPoint: point });
      const { items } = await perform(listResourceVersions, [deps, anonymous], { id });
      expect(items).toMatchObject([{ settlementPoint: point }]);
    },
  );
});

test('a list by network finds every resource that can be paid there, whatever the order of its offers', async () => {
  const bob = await toy.addUser('bob');
  const { id: both } = await publishToy(deps, bob, { slug: 'both', furtherOffers: [further] });
  const { id: one } = await publishToy(deps, bob, { slug: 'one' });
  const { id: swapped } = await publishToy(deps, bob, {
    slug: 'swapped',
    network: OTHER_NETWORK,
    furtherOffers: [{ network: NETWORK }],
  });
  const ids = async (network: string, more: Record<string, unknown> = {}) => {
    const { items } = await perform(listResources, [deps, bob], { network, ...more });
    return items.map((item) => item.id);
  };
  expect(await ids(NETWORK, { creator: 'bob' })).toEqual([swapped, one, both]);
  expect(await ids(OTHER_NETWORK, { creator: 'bob' })).toEqual([swapped, both]);
  expect(await ids('eip155:1', { creator: 'bob' })).toEqual([]);
  expect(await ids(OTHER_NETWORK, { mine: true })).toEqual([swapped, both]);
});
