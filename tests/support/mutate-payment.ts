import { authorizationTypes } from '@x402/evm';
import type { Hex, PrivateKeyAccount } from 'viem';
import type { Offer } from '#payments/index.ts';
import { signOffer, toEnvelope, type SignedPayload } from './pay.ts';

export type Envelope = Record<string, unknown>;
export type Authorization = SignedPayload['authorization'];

export interface Mutation {
  /** `<field>: <what was done>`; the key of the tables of differences. */
  name: string;
  make(subject: Subject): unknown;
}

export interface Subject {
  x402Version: 1 | 2;
  account: PrivateKeyAccount;
  stranger: PrivateKeyAccount;
  offer: Offer;
  /** A nonce that the account has used. */
  usedNonce: string;
  nowSeconds: number;
}

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
export const sign = (subject: Subject, changes: Partial<Authorization> = {}) =>
  signOffer(subject.account, subject.offer, changes);
export const wrap = (subject: Subject, payload: unknown): Envelope =>
  toEnvelope(subject.x402Version, subject.offer, payload as SignedPayload);

/** The field is changed and signed as changed. */
function signed(field: keyof Authorization, values: Record<string, (subject: Subject) => string>): Mutation[] {
  return Object.entries(values).map(([what, value]) => ({
    name: `${field} signed: ${what}`,
    make: async (subject) => wrap(subject, await sign(subject, { [field]: value(subject) })),
  }));
}

/** The field is changed after signing. */
export function changed(
  field: keyof Authorization,
  values: Record<string, (old: string, subject: Subject) => unknown>,
): Mutation[] {
  return Object.entries(values).map(([what, value]) => ({
    name: `${field}: ${what}`,
    make: async (subject) => {
      const payload = await sign(subject);
      const authorization = { ...payload.authorization, [field]: value(payload.authorization[field], subject) };
      return wrap(subject, { ...payload, authorization });
    },
  }));
}

export function signature(values: Record<string, (old: string, subject: Subject) => unknown>): Mutation[] {
  return Object.entries(values).map(([what, value]) => ({
    name: `signature: ${what}`,
    make: async (subject) => {
      const payload = await sign(subject);
      return wrap(subject, { ...payload, signature: value(payload.signature, subject) });
    },
  }));
}

function flipBit(hex: string, byte: number, bit: number): string {
  const at = 2 + byte * 2;
  const value = Number.parseInt(hex.slice(at, at + 2), 16) ^ (1 << bit);
  return hex.slice(0, at) + value.toString(16).padStart(2, '0') + hex.slice(at + 2);
}

const word = (value: bigint) => value.toString(16).padStart(64, '0');
const s = (hex: string) => BigInt(`0x${hex.slice(66, 130)}`);
const withV = (hex: string, v: number) => hex.slice(0, 130) + v.toString(16).padStart(2, '0');
const isOdd = (hex: string) => hex.slice(130) === '1c';

const bitFlips: Mutation[] = [
  ...Array.from({ length: 65 }, (_, byte) =>
    signature({ [`bit flipped in byte ${byte}`]: (old) => flipBit(old, byte, (byte * 5) % 8) }),
  ).flat(),
  ...Array.from({ length: 20 }, (_, byte) => [
    ...changed('from', { [`bit flipped in byte ${byte}`]: (old) => flipBit(old.toLowerCase(), byte, byte % 8) }),
    ...changed('to', { [`bit flipped in byte ${byte}`]: (old) => flipBit(old.toLowerCase(), byte, byte % 8) }),
  ]).flat(),
  ...Array.from({ length: 32 }, (_, byte) =>
    changed('nonce', { [`bit flipped in byte ${byte}`]: (old) => flipBit(old, byte, byte % 8) }),
  ).flat(),
];

const signatures = signature({
  'upper-case digits': (old) => `0x${old.slice(2).toUpperCase()}`,
  'without 0x': (old) => old.slice(2),
  'high s, v kept': (old) => `${old.slice(0, 66)}${word(ORDER - s(old))}${old.slice(130)}`,
  'high s, v flipped': (old) => `${old.slice(0, 66)}${word(ORDER - s(old))}${isOdd(old) ? '1b' : '1c'}`,
  'v flipped': (old) => withV(old, isOdd(old) ? 27 : 28),
  'v as 0 or 1': (old) => withV(old, isOdd(old) ? 1 : 0),
  'v as 0 or 1, flipped': (old) => withV(old, isOdd(old) ? 0 : 1),
  'v 2': (old) => withV(old, 2),
  'v 26': (old) => withV(old, 26),
  'v 29': (old) => withV(old, 29),
  'v 35': (old) => withV(old, 35),
  'v 255': (old) => withV(old, 255),
  'r zero': (old) => `0x${word(0n)}${old.slice(66)}`,
  'r the order': (old) => `0x${word(ORDER)}${old.slice(66)}`,
  's zero': (old) => `${old.slice(0, 66)}${word(0n)}${old.slice(130)}`,
  's the order': (old) => `${old.slice(0, 66)}${word(ORDER)}${old.slice(130)}`,
  'all zero': () => `0x${'00'.repeat(65)}`,
  'one byte short': (old) => old.slice(0, -2),
  'one byte long': (old) => `${old}00`,
  'compact (EIP-2098)': (old) => old.slice(0, 66) + word(s(old) | (isOdd(old) ? 1n << 255n : 0n)),
  'half a byte': (old) => old.slice(0, -1),
  empty: () => '',
  'only 0x': () => '0x',
  'not hexadecimal': () => `0x${'zz'.repeat(65)}`,
  'ERC-6492 for a wallet that does not exist': (old) =>
    `0x${word(1n)}${word(96n)}${word(128n)}${word(0n)}${word(65n)}${old.slice(2).padEnd(192, '0')}${'6492'.repeat(16)}`,
  'of 5,000 bytes': () => `0x${'11'.repeat(5000)}`,
});

const strangers: Mutation[] = [
  {
    name: 'signature: by a stranger',
    make: async (subject) => {
      const payload = await sign(subject);
      const other = await signOffer(subject.stranger, subject.offer, payload.authorization);
      return wrap(subject, { ...payload, signature: other.signature });
    },
  },
  {
    name: 'payload: a stranger pays with an empty wallet',
    make: async (subject) => wrap(subject, await signOffer(subject.stranger, subject.offer)),
  },
  { name: 'none', make: async (subject) => wrap(subject, await sign(subject)) },
];

const domains: Mutation[] = Object.entries<(subject: Subject) => Record<string, unknown>>({
  'wrong name': () => ({ name: 'USD Coin' }),
  'wrong version': () => ({ version: '1' }),
  'wrong chain': () => ({ chainId: 8453 }),
  'wrong contract': (subject) => ({ verifyingContract: subject.stranger.address }),
  'no version': () => ({ version: undefined }),
  salt: () => ({ salt: `0x${'01'.repeat(32)}` }),
}).map(([what, change]) => ({
  name: `domain: ${what}`,
  make: async (subject) => {
    const payload = await sign(subject);
    const signatureOf = await signWith(subject, payload.authorization, { domain: change(subject) });
    return wrap(subject, { ...payload, signature: signatureOf });
  },
}));

const types: Mutation[] = ['ReceiveWithAuthorization', 'transferWithAuthorization'].map((primaryType) => ({
  name: `type: ${primaryType}`,
  make: async (subject) => {
    const payload = await sign(subject);
    return wrap(subject, { ...payload, signature: await signWith(subject, payload.authorization, { primaryType }) });
  },
}));

async function signWith(
  subject: Subject,
  authorization: Authorization,
  change: { domain?: Record<string, unknown>; primaryType?: string },
): Promise<string> {
  const primaryType = change.primaryType ?? 'TransferWithAuthorization';
  return subject.account.signTypedData({
    domain: {
      ...subject.offer.extra,
      chainId: 84532,
      verifyingContract: subject.offer.asset as Hex,
      ...change.domain,
    },
    types: { [primaryType]: authorizationTypes.TransferWithAuthorization },
    primaryType,
    message: {
      ...authorization,
      value: BigInt(authorization.value),
      validAfter: BigInt(authorization.validAfter),
      validBefore: BigInt(authorization.validBefore),
    },
  });
}

const MAX = (2n ** 256n - 1n).toString();

const terms: Mutation[] = [
  ...signed('value', {
    'one more': () => '10001',
    'one less': () => '9999',
    zero: () => '0',
    double: () => '20000',
    'ten times': () => '100000',
    'more than the balance': () => '999999999999',
    'the largest': () => MAX,
    'a leading zero': () => '010000',
  }),
  ...changed('value', {
    'one more': () => '10001',
    'one less': () => '9999',
    negative: () => '-10000',
    hexadecimal: () => '0x2710',
    'a blank before': () => ' 10000',
    'a decimal point': () => '10000.0',
    'an exponent': () => '1e4',
    'a plus': () => '+10000',
    'beyond uint256': () => (2n ** 256n).toString(),
    '100 digits': () => '1'.repeat(100),
    'full-width digits': () => '１００００',
  }),
  ...signed('to', {
    stranger: (subject) => subject.stranger.address,
    zero: () => `0x${'00'.repeat(20)}`,
    payer: (subject) => subject.account.address,
    asset: (subject) => subject.offer.asset,
    'lower case': (subject) => subject.offer.payTo.toLowerCase(),
  }),
  ...changed('to', {
    stranger: (_, subject) => subject.stranger.address,
    'lower case': (old) => old.toLowerCase(),
    'upper-case digits': (old) => `0x${old.slice(2).toUpperCase()}`,
    'wrong checksum': (old) => `0x${swapCase(old.slice(2))}`,
    'one digit short': (old) => old.slice(0, -1),
    'one digit long': (old) => `${old}0`,
  }),
  ...changed('from', {
    stranger: (_, subject) => subject.stranger.address,
    zero: () => `0x${'00'.repeat(20)}`,
    'lower case': (old) => old.toLowerCase(),
    'upper-case digits': (old) => `0x${old.slice(2).toUpperCase()}`,
    'wrong checksum': (old) => `0x${swapCase(old.slice(2))}`,
    'one digit short': (old) => old.slice(0, -1),
    'without 0x': (old) => old.slice(2),
  }),
  ...signed('validAfter', {
    'a second from now': ({ nowSeconds }) => String(nowSeconds + 1),
    'a minute from now': ({ nowSeconds }) => String(nowSeconds + 60),
    'a second ago': ({ nowSeconds }) => String(nowSeconds - 1),
    'ten minutes ago': ({ nowSeconds }) => String(nowSeconds - 600),
    'the largest': () => MAX,
  }),
  ...signed('validBefore', {
    'in 5 seconds': ({ nowSeconds }) => String(nowSeconds + 5),
    'in 6 seconds': ({ nowSeconds }) => String(nowSeconds + 6),
    'in 7 seconds': ({ nowSeconds }) => String(nowSeconds + 7),
    'a second ago': ({ nowSeconds }) => String(nowSeconds - 1),
    'in a year': ({ nowSeconds }) => String(nowSeconds + 31_536_000),
    zero: () => '0',
    'the largest': () => MAX,
  }),
  ...changed('validAfter', { 'one more': (old) => String(BigInt(old) + 1n), negative: () => '-1' }),
  ...changed('validBefore', {
    'one more': (old) => String(BigInt(old) + 1n),
    'one less': (old) => String(BigInt(old) - 1n),
  }),
  ...signed('nonce', { used: (subject) => subject.usedNonce, zero: () => `0x${'00'.repeat(32)}` }),
  ...changed('nonce', {
    used: (_, subject) => subject.usedNonce,
    'upper-case digits': (old) => `0x${old.slice(2).toUpperCase()}`,
    '31 bytes': (old) => old.slice(0, -2),
    '33 bytes': (old) => `${old}00`,
    'without 0x': (old) => old.slice(2),
    empty: () => '',
  }),
];

function swapCase(text: string): string {
  return Array.from(text, (letter) =>
    letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
  ).join('');
}

/** What is signed and who signed it; for both versions. */
export const mutationsOfContent: readonly Mutation[] = [
  ...strangers,
  ...bitFlips,
  ...signatures,
  ...domains,
  ...types,
  ...terms,
];
