import type { Offer } from '#payments/index.ts';
import { json, type Bad } from './bad-request.ts';
import { signChanged, type World } from './bad-request-world.ts';
import { encodeHeader, toRequirement } from './pay.ts';
import type { RawRequest } from './send-raw.ts';

const unread = { status: 400, code: 'invalid_payload' } as const;
const stranger = '0x00000000000000000000000000000000000000aa';

/** Calls of a resource whose payment header says something wrong. */
export async function listBadPayments(world: World): Promise<Bad[]> {
  const { offer } = world;
  const pay = (header: string, name = 'PAYMENT-SIGNATURE'): RawRequest => ({
    method: 'POST',
    path: '/@ada/essay',
    headers: { ...json, [name]: header },
    body: '{"topic":"rivers"}',
  });
  const v2 = async (change: (envelope: Record<string, unknown>) => unknown) => pay(await signChanged(world, 2, change));
  const accepting = (change: Partial<Record<keyof Offer | 'amount', unknown>>) =>
    v2((envelope) => ({ ...envelope, accepted: { ...toRequirement(offer), ...change } }));
  const authorizing = (change: Record<string, unknown>) =>
    signChanged(world, 2, ({ payload, ...envelope }) => ({
      ...envelope,
      payload: { ...payload, authorization: { ...payload.authorization, ...change } },
    })).then((header) => pay(header));
  const wrongOffer = { status: 402, says: /invalid_payment_requirements/ } as const;
  const forged = { status: 402, says: /invalid_exact_evm/ } as const;
  const whole = await signChanged(world, 2, (envelope) => envelope);
  const twoHeaders = { ...pay(whole), headers: { ...json, 'PAYMENT-SIGNATURE': [whole, whole] } };
  return [
    { why: 'an empty payment header', send: pay(''), ...unread, says: /base64/ },
    { why: 'a payment that is no base64', send: pay('*** pay me ***'), ...unread, says: /base64/ },
    {
      why: 'a payment in two alphabets of base64 at once',
      send: pay(encodeHeader({ x402Version: 2, a: '>?>?>' }).replaceAll('/', '_')),
      ...unread,
      says: /base64/,
    },
    { why: 'a payment cut in half', send: pay(whole.slice(0, whole.length / 2 - 1)), ...unread, says: /base64/ },
    { why: 'a payment of text', send: pay(Buffer.from('pay').toString('base64')), ...unread, says: /JSON object/ },
    { why: 'a payment that is a list', send: pay(encodeHeader([])), ...unread, says: /JSON object/ },
    {
      why: 'a payment of broken UTF-8',
      send: pay(Buffer.from([34, 255, 34]).toString('base64')),
      ...unread,
      says: /JSON/,
    },
    { why: 'two payments at once', send: twoHeaders, ...unread, says: /base64/ },
    {
      why: 'x402 version 3',
      send: await v2((e) => ({ ...e, x402Version: 3 })),
      status: 400,
      code: 'invalid_x402_version',
      says: /1 or 2/,
    },
    {
      why: 'an x402 version as text',
      send: await v2((e) => ({ ...e, x402Version: '2' })),
      status: 400,
      code: 'invalid_x402_version',
      says: /1 or 2/,
    },
    {
      why: 'a payment header over 8 KB',
      send: await v2((e) => ({ ...e, note: 'x'.repeat(9000) })),
      status: 413,
      code: 'too_large',
      says: /8192/,
    },
    {
      why: 'a payment nested 40 deep',
      send: await v2((e) => ({ ...e, x: JSON.parse('['.repeat(40) + ']'.repeat(40)) as unknown })),
      ...unread,
      says: /JSON/,
    },
    { why: 'the scheme upto', send: await accepting({ scheme: 'upto' }), ...unread, says: /scheme "exact"/ },
    { why: 'another network', send: await accepting({ network: 'eip155:8453' }), ...wrongOffer },
    { why: 'another asset', send: await accepting({ asset: stranger }), ...wrongOffer },
    { why: 'another payee', send: await accepting({ payTo: stranger }), ...wrongOffer },
    { why: 'a lower price', send: await accepting({ amount: '1' }), ...wrongOffer },
    { why: 'a price of zero', send: await accepting({ amount: '0' }), ...wrongOffer },
    { why: 'a negative price', send: await accepting({ amount: '-10000' }), ...unread, says: /decimal digits/ },
    { why: 'a price with a fraction', send: await accepting({ amount: '0.01' }), ...unread, says: /decimal digits/ },
    { why: 'a price that is a number', send: await accepting({ amount: 10_000 }), ...unread, says: /accepted\.amount/ },
    {
      why: 'another token domain',
      send: await accepting({ extra: { name: 'USD Coin', version: '2' } }),
      ...wrongOffer,
    },
    {
      why: 'a negative value signed',
      send: await authorizing({ value: '-1' }),
      ...unread,
      says: /authorization\.value/,
    },
    { why: 'a value of 1e4', send: await authorizing({ value: '1e4' }), ...unread, says: /decimal digits/ },
    { why: 'a value over 2^256', send: await authorizing({ value: '9'.repeat(78) }), ...unread, says: /2\^256/ },
    { why: 'a payer who is no address', send: await authorizing({ from: '0x12' }), ...unread, says: /40 hexadecimal/ },
    { why: 'a nonce too short', send: await authorizing({ nonce: '0x12' }), ...unread, says: /32 bytes/ },
    { why: 'more signed than EIP-3009 knows', send: await authorizing({ memo: 'x' }), ...unread, says: /EIP-3009/ },
    { why: 'the value changed after signing', send: await authorizing({ value: '9999' }), ...forged },
    { why: 'the payee changed after signing', send: await authorizing({ to: stranger }), ...forged },
    { why: 'the payer changed after signing', send: await authorizing({ from: stranger }), ...forged },
    {
      why: 'a payment of version 1 for another network',
      send: pay(await signChanged(world, 1, (e) => ({ ...e, network: 'base' })), 'X-PAYMENT'),
      ...wrongOffer,
    },
    {
      why: 'a payment of version 1 with a scheme unknown',
      send: pay(await signChanged(world, 1, (e) => ({ ...e, scheme: 'stream' })), 'X-PAYMENT'),
      ...unread,
      says: /scheme "exact"/,
    },
  ];
}
