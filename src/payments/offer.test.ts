import { describe, expect, test } from 'vitest';
import {
  makeAccount,
  makeOffer,
  schemeList,
  signOffer,
  toEnvelope,
  toPayment,
  encodeHeader,
} from '../../tests/support/pay.ts';
import { buildOffer, decodePayment, matchOffer } from './index.ts';

const account = makeAccount();

test('an offer names the asset and the domain of its network', () => {
  expect(
    buildOffer(schemeList, {
      scheme: 'exact',
      network: 'eip155:8453',
      amountAtomic: 5n,
      payTo: account.address,
      maxTimeoutSeconds: 60,
    }),
  ).toEqual({
    scheme: 'exact',
    network: 'eip155:8453',
    asset: '0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913',
    amountAtomic: 5n,
    payTo: account.address,
    maxTimeoutSeconds: 60,
    extra: { name: 'USD Coin', version: '2' },
  });
});

test('the payee is written with its checksum, whatever case it came in', () => {
  const { address } = account;
  expect(makeOffer({ payTo: address.toLowerCase() }).payTo).toBe(address);
  expect(makeOffer({ payTo: `0x${address.slice(2).toUpperCase()}` }).payTo).toBe(address);
});

test('a network that nobody knows is refused by name', () => {
  expect(() => makeOffer({ network: 'eip155:1' })).toThrow(/"eip155:1" is not a network/);
});

describe('matching a payment with our offers', () => {
  test('version 2 names its offer; a superseded one is found beside the current one', async () => {
    const [current, former] = [makeOffer({ amountAtomic: 20_000n }), makeOffer()];
    const payment = toPayment(2, former, await signOffer(account, former));
    expect(matchOffer(schemeList, payment, [current, former])).toBe(former);
    expect(matchOffer(schemeList, payment, [current])).toBeNull();
  });

  test('version 1 takes the offer that was signed, or else the first of its network', async () => {
    const [current, former] = [makeOffer({ amountAtomic: 20_000n }), makeOffer()];
    const payment = toPayment(1, former, await signOffer(account, former));
    expect(matchOffer(schemeList, payment, [current, former])).toBe(former);
    expect(matchOffer(schemeList, payment, [current])).toBe(current);
    expect(matchOffer(schemeList, payment, [makeOffer({ network: 'eip155:8453' })])).toBeNull();
  });

  test('what the client says it accepts never replaces our offer', async () => {
    const offer = makeOffer();
    const envelope = toEnvelope(2, offer, await signOffer(account, offer));
    const cheaper = { ...envelope, accepted: { ...(envelope['accepted'] as object), amount: '1' } };
    const decoded = decodePayment(schemeList, { paymentSignature: encodeHeader(cheaper) });
    expect(decoded.ok && matchOffer(schemeList, decoded.payment, [offer])).toBeNull();
  });
});
