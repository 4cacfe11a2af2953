import {
  changed,
  sign,
  signature,
  wrap,
  type Authorization,
  type Envelope,
  type Mutation,
  type Subject,
} from './mutate-payment.ts';

const junk: Record<string, unknown> = {
  null: null,
  number: 12,
  'huge number': 1e300,
  true: true,
  array: ['1'],
  object: { a: 1 },
  'empty text': '',
  word: 'abc',
  'prototype name': '__proto__',
};

const fields: (keyof Authorization)[] = ['from', 'to', 'value', 'validAfter', 'validBefore', 'nonce'];

/** Wrong types, missing and additional fields; for both versions. */
export const mutationsOfShape: readonly Mutation[] = [
  ...fields.flatMap((field) => [
    ...Object.entries(junk).flatMap(([what, value]) => changed(field, { [`is ${what}`]: () => value })),
    ...changed(field, { 'is missing': () => undefined }),
  ]),
  ...Object.entries(junk).flatMap(([what, value]) => [
    ...signature({ [`is ${what}`]: () => value }),
    { name: `payload: is ${what}`, make: (subject: Subject) => wrap(subject, value) },
    {
      name: `authorization: is ${what}`,
      make: async (subject: Subject) => wrap(subject, { ...(await sign(subject)), authorization: value }),
    },
    {
      name: `x402Version: is ${what}`,
      make: async (subject: Subject) => ({ ...wrap(subject, await sign(subject)), x402Version: value }),
    },
  ]),
  {
    name: 'authorization: an extra field',
    make: async (subject) => {
      const payload = await sign(subject);
      return wrap(subject, { ...payload, authorization: { ...payload.authorization, salt: '1' } });
    },
  },
  {
    name: 'payload: an extra field',
    make: async (subject) => wrap(subject, { ...(await sign(subject)), memo: 'x' }),
  },
  {
    name: 'value: a number instead of text',
    make: async (subject) => {
      const payload = await sign(subject);
      return wrap(subject, { ...payload, authorization: { ...payload.authorization, value: 10_000 } });
    },
  },
  ...[0, 3, '2', 1.5].map((x402Version) => ({
    name: `x402Version: ${JSON.stringify(x402Version)}`,
    make: async (subject: Subject) => ({ ...wrap(subject, await sign(subject)), x402Version }),
  })),
];

const offered: Record<string, (accepted: Envelope, subject: Subject) => unknown> = {
  'scheme upto': (accepted) => ({ ...accepted, scheme: 'upto' }),
  'scheme missing': (accepted) => ({ ...accepted, scheme: undefined }),
  'network Base': (accepted) => ({ ...accepted, network: 'eip155:8453' }),
  'network by its old name': (accepted) => ({ ...accepted, network: 'base-sepolia' }),
  'network of Solana': (accepted) => ({ ...accepted, network: 'solana:devnet' }),
  'network missing': (accepted) => ({ ...accepted, network: undefined }),
  'amount one more': (accepted) => ({ ...accepted, amount: '10001' }),
  'amount one less': (accepted) => ({ ...accepted, amount: '9999' }),
  'amount a number': (accepted) => ({ ...accepted, amount: 10_000 }),
  'amount with a leading zero': (accepted) => ({ ...accepted, amount: '010000' }),
  'asset another': (accepted, subject) => ({ ...accepted, asset: subject.stranger.address }),
  'asset of Base': (accepted) => ({ ...accepted, asset: '0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913' }),
  'asset in lower case': (accepted) => ({ ...accepted, asset: String(accepted['asset']).toLowerCase() }),
  'payTo another': (accepted, subject) => ({ ...accepted, payTo: subject.stranger.address }),
  'payTo the payer': (accepted, subject) => ({ ...accepted, payTo: subject.account.address }),
  'payTo in lower case': (accepted) => ({ ...accepted, payTo: String(accepted['payTo']).toLowerCase() }),
  'a longer timeout': (accepted) => ({ ...accepted, maxTimeoutSeconds: 3000 }),
  'no timeout': (accepted) => ({ ...accepted, maxTimeoutSeconds: undefined }),
  'no extra': (accepted) => ({ ...accepted, extra: undefined }),
  'another domain name': (accepted) => ({ ...accepted, extra: { name: 'USD Coin', version: '2' } }),
  'another domain version': (accepted) => ({ ...accepted, extra: { name: 'USDC', version: '1' } }),
  'more in extra': (accepted) => ({ ...accepted, extra: { name: 'USDC', version: '2', note: 'x' } }),
  'a field of its own': (accepted) => ({ ...accepted, note: 'x' }),
  'is null': () => null,
  'is text': () => 'exact',
  'is missing': () => undefined,
};

export const mutationsOfAccepted: readonly Mutation[] = Object.entries(offered).map(([what, change]) => ({
  name: `accepted: ${what}`,
  make: async (subject) => {
    const envelope = wrap(subject, await sign(subject));
    return { ...envelope, accepted: change(envelope['accepted'] as Envelope, subject) };
  },
}));

const named: Record<string, unknown> = {
  'network base': { network: 'base' },
  'network in CAIP-2': { network: 'eip155:84532' },
  'network unknown': { network: 'dogecoin' },
  'network empty': { network: '' },
  'network missing': { network: undefined },
  'scheme upto': { scheme: 'upto' },
  'scheme empty': { scheme: '' },
  'scheme missing': { scheme: undefined },
  'a field of its own': { note: 'x' },
};

export const mutationsOfV1: readonly Mutation[] = Object.entries(named).map(([what, change]) => ({
  name: `version 1: ${what}`,
  make: async (subject) => ({ ...wrap(subject, await sign(subject)), ...(change as Envelope) }),
}));
