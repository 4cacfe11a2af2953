import { describe, expect, test } from 'vitest';
import { matchOffer } from '#payments/index.ts';
import type { PublishedVersion, VersionOffer } from '#resources/index.ts';
import { toInputSchema } from '../resources/to-input-schema.ts';
import { publishedVersion } from '../../tests/support/execution-deps.ts';
import { makeAccount, pay, schemeList, signOffer, toPayment } from '../../tests/support/pay.ts';
import { openToyKind } from '../../tests/support/toy-kind.ts';
import { offerVersion, payableOffers, originOf } from './offer-version.ts';

const NOW = Date.parse('2026-01-02T03:04:05.000Z');
const kinds = new Map([['openrouter_instant', openToyKind()]]);
const deps = { publicUrl: 'https://farebox.test', clock: { now: () => NOW }, payments: schemeList, kinds };
const account = makeAccount();
const payTo = makeAccount().address;
const on = (network: string, amountAtomic = 10_000n): VersionOffer => ({
  scheme: 'exact',
  network,
  amountAtomic,
  payTo,
});
const [BASE, POLYGON, CELO] = ['eip155:8453', 'eip155:137', 'eip155:42220'] as const;

const toVersion = (more: Partial<PublishedVersion>) => publishedVersion({ priceAtomic: 10_000n, ...more });
const replaced = (more: Partial<PublishedVersion['superseded'][number]> = {}) => ({
  versionId: '01900000-0000-7000-8000-000000000009',
  offers: [on(BASE, 20_000n), on(CELO)],
  settlementPoint: 'on_success' as const,
  timeoutSeconds: 60,
  publishedAt: new Date(NOW - 3_600_000),
  until: new Date(NOW + 1),
  ...more,
});

describe('the challenge', () => {
  test("lists every offer in its creator's order, for both versions of x402", () => {
    const { challenge } = offerVersion(deps, toVersion({ offers: [on(POLYGON), on(BASE, 20_000n)] }));
    expect(challenge.post.paymentRequired.accepts).toMatchObject([
      { scheme: 'exact', network: POLYGON, amount: '10000', payTo },
      { scheme: 'exact', network: BASE, amount: '20000', payTo },
    ]);
    expect(challenge.post.paymentRequiredV1.accepts).toMatchObject([
      { network: 'polygon', maxAmountRequired: '10000' },
      { network: 'base', maxAmountRequired: '20000' },
    ]);
  });

  test('says in every offer when the money moves, for both versions of x402; that it moves first also as its flow', () => {
    const extras = (['on_success', 'at_first_output', 'upfront'] as const).map((settlementPoint) => {
      const version = toVersion({ settlementPoint, offers: [on(POLYGON), on(BASE)] });
      const { paymentRequired, paymentRequiredV1 } = offerVersion(deps, version).challenge.post;
      return [...paymentRequired.accepts, ...paymentRequiredV1.accepts].map(({ extra }) => extra);
    });
    const told = [
      { settlementPoint: 'on_success' },
      { settlementPoint: 'at_first_output' },
      { settlementPoint: 'upfront', paymentFlow: 'upfront' },
    ];
    const name = expect.any(String) as string;
    const expected = told.map((more) => Array.from({ length: 4 }, () => ({ name, version: '2', ...more })));
    expect(extras).toEqual(expected);
  });
});

describe('a payment', () => {
  const version = toVersion({ offers: [on(POLYGON), on(BASE)], superseded: [replaced()] });
  const offers = payableOffers(deps, version);

  test.each([
    ['the first offer', POLYGON, 10_000n],
    ['the second offer', BASE, 10_000n],
    ['the first offer of a version just replaced', BASE, 20_000n],
    ['the second offer of a version just replaced', CELO, 10_000n],
  ])('for %s is matched to it, in both versions of x402', async (_, network, amountAtomic) => {
    const offer = offers.find((found) => found.network === network && found.amountAtomic === amountAtomic);
    const signed = offer && (await signOffer(account, offer));
    for (const x402Version of [1, 2] as const) {
      expect(offer && signed && matchOffer(schemeList, toPayment(x402Version, offer, signed), offers)).toBe(offer);
    }
  });

  test('is matched by what is asked, whatever its client was told or echoes of the settlement point', async () => {
    const current = payableOffers(deps, toVersion({ offers: [on(BASE)], settlementPoint: 'at_first_output' }));
    for (const told of [{}, { settlementPoint: 'on_success' }, { settlementPoint: 'at_first_output' }]) {
      const accepted = current.map((offer) => ({ ...offer, extra: { ...offer.extra, ...told } }));
      const payments = await Promise.all(accepted.map((offer) => pay(account, offer)));
      expect(payments.map((payment) => matchOffer(schemeList, payment, current))).toEqual(current);
    }
  });

  test('for an offer whose time is over is matched to none', async () => {
    const [, , former] = offers;
    const late = payableOffers(deps, { ...version, superseded: [replaced({ until: new Date(NOW) })] });
    expect(late).toHaveLength(2);
    expect(former && matchOffer(schemeList, await pay(account, former), late)).toBeNull();
  });
});

describe('a payment for a version that takes the money first', () => {
  const version = toVersion({ offers: [on(BASE)], settlementPoint: 'upfront' });
  const [upfront] = payableOffers(deps, version);
  const echoing = async (extra: Record<string, unknown>) => {
    if (!upfront) {
      throw new Error('unreachable');
    }
    return pay(account, { ...upfront, extra: extra as typeof upfront.extra });
  };
  const domain = { name: 'USD Coin', version: '2' };

  test('is matched from clients that echo the flow and from those that do not know of it', async () => {
    const offers = payableOffers(deps, version);
    expect(matchOffer(schemeList, await echoing({ ...domain, paymentFlow: 'upfront' }), offers)).toEqual(upfront);
    expect(matchOffer(schemeList, await echoing(domain), offers)).toEqual(upfront);
  });

  test('is not matched when the client accepted another flow', async () => {
    expect(
      matchOffer(schemeList, await echoing({ ...domain, paymentFlow: 'authorization' }), payableOffers(deps, version)),
    ).toBeNull();
    const last = payableOffers(deps, toVersion({ offers: [on(BASE)] }));
    expect(matchOffer(schemeList, await echoing({ ...domain, paymentFlow: 'upfront' }), last)).toBeNull();
  });

  test('made from a 402 that did not say so yet keeps the order that it was promised', async () => {
    const changed = { ...version, superseded: [replaced({ offers: [on(BASE)] })] };
    const offers = payableOffers(deps, changed);
    expect(matchOffer(schemeList, await echoing(domain), offers)?.extra).toEqual(domain);
    expect(matchOffer(schemeList, await echoing({ ...domain, paymentFlow: 'upfront' }), offers)).toEqual(upfront);
  });
});

test('money moves as the version said whose offer is paid, where the creator has just changed that and the price', () => {
  const [before, after] = ['on_success', 'at_first_output'] as const;
  const pointsOf = (former: typeof before | typeof after, current: typeof before | typeof after) => {
    const superseded = [replaced({ offers: [on(BASE, 20_000n)], settlementPoint: former })];
    const version = toVersion({ offers: [on(BASE)], settlementPoint: current, superseded });
    return payableOffers(deps, version).map((offer) => originOf(deps, version, { offer }).settlementPoint);
  };
  expect(pointsOf(before, after)).toEqual([after, before]);
  expect(pointsOf(after, before)).toEqual([before, after]);
});

test('an offer counts from the publication of the version that made it, also where that was replaced', () => {
  const version = toVersion({ offers: [on(BASE)], publishedAt: new Date(NOW), superseded: [replaced()] });
  const times = payableOffers(deps, version).map((offer) => originOf(deps, version, { offer }).offeredAt.getTime());
  expect(times).toEqual([NOW, NOW - 3_600_000, NOW - 3_600_000]);
});

describe('a price that follows from the input', () => {
  const parameters = [{ name: 'count', type: 'integer' as const, description: '', minimum: 0 }];
  const formula = (usdc: string) => ({
    baseUsdc: '0.001',
    terms: [{ parameter: 'count', per: 'value' as const, usdc }],
  });
  const version = toVersion({
    offers: [on(POLYGON), on(BASE, 4_000n)],
    parameters,
    priceFormula: formula('0.001'),
    superseded: [
      replaced({
        offers: [on(CELO, 50_000n)],
        priceFormula: formula('0.002'),
        priced: { parameters, inputSchema: toInputSchema(parameters, { allowsUserMessage: false }) },
      }),
    ],
  });
  const amounts = (found: PublishedVersion, input?: Record<string, unknown>) =>
    payableOffers(deps, found, input).map(({ amountAtomic }) => amountAtomic);

  test('is asked up to the amount of each offer, also of a version just replaced by its own formula', () => {
    expect(amounts(version, { count: 2 })).toEqual([3_000n, 3_000n, 5_000n]);
    expect(amounts(version, { count: 7 })).toEqual([8_000n, 4_000n, 15_000n]);
    expect(amounts(version)).toEqual([10_000n, 4_000n, 50_000n]);
  });

  test.each([[{}], [{ count: 'many' }], [{ count: -1 }], [{ count: 1.5 }]])(
    'is the most where the replaced version would have refused what its successor has read: %j',
    (input) => {
      expect(amounts(version, input).at(-1)).toBe(50_000n);
    },
  );

  test('of a replaced version counts only what that has priced', () => {
    expect(amounts(version, { count: 2, tone: 'warm' }).at(-1)).toBe(5_000n);
  });

  test('counts from the version that made the offer', () => {
    const input = { count: 2 };
    const times = payableOffers(deps, version, input).map(
      (offer) => originOf(deps, version, { offer, input }).offeredAt,
    );
    expect(times).toEqual([version.publishedAt, version.publishedAt, version.superseded[0]?.publishedAt]);
  });

  test('is encoded once for each amount', () => {
    const first = offerVersion(deps, version, { count: 1 });
    expect(offerVersion(deps, version, { count: 1 })).toBe(first);
    expect(offerVersion(deps, version, { count: 2 })).not.toBe(first);
    const most = offerVersion(deps, version);
    for (let count = 0; count < 501; count += 1) {
      offerVersion(deps, { ...version, priceAtomic: BigInt(count) }, { count: 3 });
    }
    // Of inputs not without end; the 402 of a version stays.
    expect(offerVersion(deps, version, { count: 1 })).not.toBe(first);
    expect(offerVersion(deps, version)).toBe(most);
  });
});
