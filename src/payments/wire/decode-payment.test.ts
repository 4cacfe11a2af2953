import { encodePaymentSignatureHeader } from '@x402/core/http';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeHeader, makeAccount, makeOffer, schemeList, signOffer, toEnvelope } from '../../../tests/support/pay.ts';
import { fromStoredPayment, toStoredPayment, type StoredPayment } from '../stored-payment.ts';
import { decodePayment } from './decode-payment.ts';

const account = makeAccount();
const offer = makeOffer();
const payload = await signOffer(account, offer);
const v1 = toEnvelope(1, offer, payload);
const v2 = toEnvelope(2, offer, payload);

const hex = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => `0x${Buffer.from(bytes).toString('hex')}`);
const uint256 = fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }).map(String);
const anyPayload = fc.record({
  signature: hex(65),
  authorization: fc.record({
    from: hex(20),
    to: hex(20),
    value: uint256,
    validAfter: uint256,
    validBefore: uint256,
    nonce: hex(32),
  }),
});

describe('a payment header is read', () => {
  test('in version 2, as the SDK writes it', () => {
    const header = encodePaymentSignatureHeader(v2 as never);
    expect(decodePayment(schemeList, { paymentSignature: header })).toEqual({
      ok: true,
      payment: {
        x402Version: 2,
        scheme: 'exact',
        network: 'eip155:84532',
        asset: offer.asset.toLowerCase(),
        payer: account.address.toLowerCase(),
        uniquenessKey: payload.authorization.nonce,
        maxAmountAtomic: 10_000n,
        expiresAt: Number(payload.authorization.validBefore),
        payload: {
          signature: payload.signature,
          authorization: {
            ...payload.authorization,
            from: account.address.toLowerCase(),
            to: offer.payTo.toLowerCase(),
          },
        },
        accepted: v2['accepted'],
        raw: header,
      },
    });
  });

  test('in version 1, with its network under its CAIP-2 name', () => {
    const decoded = decodePayment(schemeList, { xPayment: encodeHeader(v1) });
    expect(decoded).toMatchObject({ ok: true, payment: { x402Version: 1, network: 'eip155:84532' } });
    expect(decoded.ok && decoded.payment).not.toHaveProperty('accepted');
  });

  test('PAYMENT-SIGNATURE goes before X-PAYMENT', () => {
    const decoded = decodePayment(schemeList, { paymentSignature: encodeHeader(v2), xPayment: 'broken' });
    expect(decoded).toMatchObject({ ok: true, payment: { x402Version: 2 } });
  });

  test('every well-formed authorisation, in both versions', () => {
    fc.assert(
      fc.property(anyPayload, fc.constantFrom(1 as const, 2 as const), (signed, version) => {
        const decoded = decodePayment(schemeList, {
          paymentSignature: encodeHeader(toEnvelope(version, offer, signed)),
        });
        expect(decoded).toMatchObject({
          ok: true,
          payment: { payload: signed, maxAmountAtomic: BigInt(signed.authorization.value) },
        });
      }),
    );
  });

  test('what was read comes back unchanged from its stored form, so that it can be settled later', () => {
    const decoded = decodePayment(schemeList, { paymentSignature: encodeHeader(v2) });
    const payment = decoded.ok ? decoded.payment : null;
    const stored = JSON.stringify(payment && toStoredPayment(payment, offer));
    expect(fromStoredPayment(JSON.parse(stored) as StoredPayment)).toEqual(payment);
  });
});

const url = (text: string) => text.replaceAll('+', '-').replaceAll('/', '_');
const withEnie = encodeHeader({ ...v2, note: '?>?>~~' });

describe('a payment header is read in every form of base64 that clients write', () => {
  const noted = Array.from({ length: 3 }, (_, length) => encodeHeader({ ...v2, note: `?>?>~~${'a'.repeat(length)}` }));

  test.each<[string, (header: string) => string]>([
    ['standard', (header) => header],
    ['standard without padding', (header) => header.replace(/=+$/, '')],
    ['base64url with padding', url],
    ['base64url without padding', (header) => url(header).replace(/=+$/, '')],
  ])('%s', (_, write) => {
    for (const header of noted) {
      const decoded = decodePayment(schemeList, { paymentSignature: write(header) });
      expect(decoded).toMatchObject({ ok: true, payment: { payer: account.address.toLowerCase() } });
    }
  });
});

describe('a payment header is refused', () => {
  const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels));

  test.each<[string, string, string]>([
    ['empty', '', 'invalid_payload'],
    ['not base64', '{"x402Version":2}', 'invalid_payload'],
    ['both alphabets at once', `${url(withEnie)}${withEnie}`, 'invalid_payload'],
    ['a group of one character', `${encodeHeader(v2).replace(/=+$/, '').padEnd(2000, 'A')}A`, 'invalid_payload'],
    ['too much padding', `${encodeHeader(v2).replace(/=+$/, '')}===`, 'invalid_payload'],
    ['padding inside', `${encodeHeader(v2).slice(0, 8)}=${encodeHeader(v2).slice(8)}`, 'invalid_payload'],
    ['a blank inside', `${encodeHeader(v2).slice(0, 8)} ${encodeHeader(v2).slice(8)}`, 'invalid_payload'],
    ['two headers joined', `${encodeHeader(v2)}, ${encodeHeader(v2)}`, 'invalid_payload'],
    ['not JSON', Buffer.from('hello').toString('base64'), 'invalid_payload'],
    ['bytes that are not UTF-8', Buffer.from([0x22, 0xff, 0x22]).toString('base64'), 'invalid_payload'],
    ['a byte order mark', Buffer.from(`\ufeff${JSON.stringify(v2)}`).toString('base64'), 'invalid_payload'],
    ['null', encodeHeader(null), 'invalid_payload'],
    ['a list', encodeHeader([v2]), 'invalid_payload'],
    ['a number', encodeHeader(2), 'invalid_payload'],
    ['no version', encodeHeader({ ...v2, x402Version: undefined }), 'invalid_x402_version'],
    ['version 3', encodeHeader({ ...v2, x402Version: 3 }), 'invalid_x402_version'],
    ['version "2"', encodeHeader({ ...v2, x402Version: '2' }), 'invalid_x402_version'],
    ['too deep', encodeHeader({ ...v2, extensions: nested(40) }), 'invalid_payload'],
    ['much too deep', encodeHeader(nested(2500)), 'invalid_payload'],
    ['too long', encodeHeader({ ...v2, extensions: { a: 'x'.repeat(7000) } }), 'too_large'],
    ['another scheme', encodeHeader({ ...v1, scheme: 'upto' }), 'invalid_payload'],
    [
      'permit2',
      encodeHeader({ ...v2, payload: { signature: payload.signature, permit2Authorization: {} } }),
      'invalid_payload',
    ],
  ])('%s', (_, header, problem) => {
    const decoded = decodePayment(schemeList, { paymentSignature: header });
    expect(decoded).toMatchObject({ ok: false, problem });
  });

  test('the detail names the field and what was expected', () => {
    const authorization = { ...payload.authorization, value: '1e4' };
    const decoded = decodePayment(schemeList, {
      xPayment: encodeHeader({ ...v1, payload: { ...payload, authorization } }),
    });
    expect(decoded).toMatchObject({
      detail: 'X-PAYMENT: "payload.authorization.value" is not valid: expected a whole number in decimal digits.',
    });
  });

  test('the detail repeats nothing that the client invented', () => {
    const authorization = { ...payload.authorization, ['<script>']: 1 };
    const decoded = decodePayment(schemeList, {
      paymentSignature: encodeHeader({ ...v2, payload: { ...payload, authorization } }),
    });
    expect(decoded).toMatchObject({ ok: false, problem: 'invalid_payload' });
    expect(JSON.stringify(decoded)).not.toContain('script');
  });

  test('any text and any JSON: an answer, never an exception and never the words of a parser', () => {
    const anything = fc.oneof(
      fc.string(),
      fc.base64String(),
      fc.json().map((json) => Buffer.from(json).toString('base64')),
    );
    fc.assert(
      fc.property(anything, (header) => {
        const decoded = decodePayment(schemeList, { paymentSignature: header });
        expect(decoded.ok).toBe(false);
        expect(decoded.ok ? '' : decoded.detail).toMatch(/^PAYMENT-SIGNATURE/);
        expect(decoded.ok ? '' : decoded.detail).not.toMatch(/undefined|Unexpected|BigInt|JSON at|TypeError/);
      }),
    );
  });

  test('JSON of the right shape with one value replaced by anything', () => {
    const paths = ['signature', 'authorization', 'from', 'to', 'value', 'validAfter', 'validBefore', 'nonce'] as const;
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.jsonValue(), (path, value) => {
        const inner = path === 'signature' || path === 'authorization' ? {} : { [path]: value };
        const outer = path === 'signature' || path === 'authorization' ? { [path]: value } : {};
        const changed = { ...payload, authorization: { ...payload.authorization, ...inner }, ...outer };
        const decoded = decodePayment(schemeList, { paymentSignature: encodeHeader({ ...v2, payload: changed }) });
        const isDigits = typeof value === 'string' && /^\d{1,77}$/.test(value);
        expect(decoded.ok).toBe(isDigits && ['value', 'validAfter', 'validBefore'].includes(path));
      }),
    );
  });
});
