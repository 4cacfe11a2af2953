import { authorizationTypes } from '@x402/evm';
import fc from 'fast-check';
import { hashTypedData, type Hex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { describe, expect, test } from 'vitest';
import { makeAccount, makeOffer, signOffer, toPayment } from '../../../../tests/support/pay.ts';
import type { Payment } from '../../payment.ts';
import { checkTerms } from './check-terms.ts';
import { isSignedByPayer, normalizeSignature, recoverSigner, toDigest } from './eip3009.ts';

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const offer = makeOffer();

/** Made with @x402/evm 2.27.0 and viem 2.57.20; the account is the first of the well-known development mnemonic. */
const golden = {
  authorization: {
    from: '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266',
    to: '0x70997970c51812dc3a010c7d01b50e0d17dc79c8',
    value: '10000',
    validAfter: '0',
    validBefore: '1893456000',
    nonce: '0x0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20',
  },
  digests: {
    'eip155:8453': '0xb4735b469abb6b39d0d83298a2d9692258c8b2de966d254213a4b4db04ce6916',
    'eip155:84532': '0x78c1b6d156dd2a9aeefa56e26a0c26dde8a864851a0e8c0c2dfa317f9be7c8b1',
    'eip155:43114': '0x6dca09ab1e252332e5347a35bae1500aaa29cbd6b78d500ea28666dead40e1f1',
  },
  signature:
    '0xedb3ffcb6845d97ad373437bca4c22226b41bd320507f823ba76f2cf9ab5aec1087d18ae268e8ea7d7cd47bc479daaacc19a275fb8615e398dd8ac309a37f0f21b',
};

function toGolden(network: string): { payment: Payment; offer: ReturnType<typeof makeOffer> } {
  const { authorization, signature } = golden;
  const goldenOffer = makeOffer({ network, payTo: authorization.to });
  return { offer: goldenOffer, payment: toPayment(2, goldenOffer, { authorization, signature }) };
}

test.each(Object.entries(golden.digests))(
  'the EIP-712 digest on %s is the one that the SDK made',
  (network, digest) => {
    const { payment, offer: goldenOffer } = toGolden(network);
    expect(`0x${toDigest(payment, goldenOffer).toString('hex')}`).toBe(digest);
  },
);

test('a signature that the SDK made is the payer’s', () => {
  const { payment, offer: goldenOffer } = toGolden('eip155:84532');
  expect(isSignedByPayer(payment, toDigest(payment, goldenOffer))).toBe(true);
});

describe('compared with viem', () => {
  const bytes = (length: number) =>
    fc
      .uint8Array({ minLength: length, maxLength: length })
      .map((found): Hex => `0x${Buffer.from(found).toString('hex')}`);
  const uint256 = fc.bigInt({ min: 0n, max: 2n ** 256n - 1n });

  test('the digest of any authorisation, token name and version is the same', () => {
    const authorization = fc.record({
      from: bytes(20),
      to: bytes(20),
      value: uint256,
      validAfter: uint256,
      validBefore: uint256,
      nonce: bytes(32),
    });
    fc.assert(
      fc.property(authorization, fc.string({ unit: 'grapheme' }), fc.string(), (message, name, version) => {
        const named = { ...offer, extra: { name, version } };
        const digits = {
          value: String(message.value),
          validAfter: String(message.validAfter),
          validBefore: String(message.validBefore),
        };
        const payment = toPayment(1, named, { signature: '0x00', authorization: { ...message, ...digits } });
        const expected = hashTypedData({
          domain: { name, version, chainId: 84532, verifyingContract: offer.asset as Hex },
          types: authorizationTypes,
          primaryType: 'TransferWithAuthorization',
          message,
        });
        expect(`0x${toDigest(payment, named).toString('hex')}`).toBe(expected);
      }),
    );
  });

  test('the signer of what any account signs is the same', async () => {
    await fc.assert(
      fc.asyncProperty(bytes(32), bytes(32), async (key, digest) => {
        fc.pre(BigInt(key) > 0n && BigInt(key) < ORDER);
        const account = privateKeyToAccount(key);
        const signature = await account.sign({ hash: digest });
        expect(recoverSigner(Buffer.from(digest.slice(2), 'hex'), signature)).toBe(account.address.toLowerCase());
      }),
      { numRuns: 30 },
    );
  });

  test('any 65 bytes: an address or null, never an exception', () => {
    fc.assert(
      fc.property(bytes(65), bytes(32), (signature, digest) => {
        expect(recoverSigner(Buffer.from(digest.slice(2), 'hex'), signature)).toSatisfy(
          (found) => found === null || /^0x[0-9a-f]{40}$/.test(String(found)),
        );
      }),
    );
  });
});

describe('a payer’s signature', async () => {
  const account = makeAccount();
  const payload = await signOffer(account, offer);
  const { signature } = payload;
  const isTaken = (changed: string) => {
    const payment = toPayment(2, offer, { ...payload, signature: changed });
    return isSignedByPayer(payment, toDigest(payment, offer));
  };
  const parity = signature.endsWith('1b') ? 0 : 1;
  const withV = (v: number) => signature.slice(0, 130) + v.toString(16).padStart(2, '0');

  test('may have v as 27 or 28, or the parity itself', () => {
    expect([isTaken(withV(27 + parity)), isTaken(withV(parity))]).toEqual([true, true]);
    expect([2, 26, 28 - parity, 1 - parity, 29, 35, 36, 255].map((v) => isTaken(withV(v)))).not.toContain(true);
  });

  test('may not have a high s, which would be a second signature for the same authorisation', () => {
    const s = ORDER - BigInt(`0x${signature.slice(66, 130)}`);
    const high = signature.slice(0, 66) + s.toString(16).padStart(64, '0');
    expect([isTaken(`${high}1b`), isTaken(`${high}1c`)]).toEqual([false, false]);
  });

  test('has 65 bytes, not 64 or 66', () => {
    expect([isTaken(signature.slice(0, -2)), isTaken(`${signature}00`)]).toEqual([false, false]);
  });

  test('is sent to the chain with v as 27 or 28; other signatures stay as they are', () => {
    expect(normalizeSignature(withV(parity))).toBe(signature);
    expect(normalizeSignature(signature)).toBe(signature);
    expect(normalizeSignature('0x00')).toBe('0x00');
  });
});

describe('the terms of a payment', async () => {
  const nowMs = 1_800_000_000_999;
  const now = 1_800_000_000;
  const account = makeAccount();
  const check = async (changes: Parameters<typeof signOffer>[2], version: 1 | 2 = 2, marginSeconds = 6) => {
    const payload = await signOffer(account, offer, { validBefore: String(now + 300), ...changes });
    const verdict = checkTerms(toPayment(version, offer, payload), { offer, nowMs, marginSeconds });
    return verdict.ok ? 'ok' : verdict.reason;
  };

  test('end of the window, checked to the second', async () => {
    expect(await check({ validBefore: String(now + 6) })).toBe('ok');
    expect(await check({ validBefore: String(now + 5) })).toBe('invalid_exact_evm_payload_authorization_valid_before');
    expect(await check({ validBefore: String(now + 59) }, 2, 60)).toBe(
      'invalid_exact_evm_payload_authorization_valid_before',
    );
    expect(await check({ validBefore: String(2n ** 256n - 1n) })).toBe('ok');
  });

  test('beginning of the window, checked to the second', async () => {
    expect(await check({ validAfter: String(now) })).toBe('ok');
    expect(await check({ validAfter: String(now + 1) })).toBe('invalid_exact_evm_payload_authorization_valid_after');
  });

  test('another amount is refused, with the reason of its x402 version', async () => {
    for (const value of ['0', '9999', '10001', String(2n ** 256n - 1n)]) {
      expect(await check({ value })).toBe('invalid_exact_evm_payload_authorization_value_mismatch');
      expect(await check({ value }, 1)).toBe('invalid_exact_evm_authorization_value');
    }
  });

  test('another payee is refused', async () => {
    expect(await check({ to: account.address })).toBe('invalid_exact_evm_recipient_mismatch');
    expect(await check({ to: offer.payTo.toLowerCase() })).toBe('ok');
  });
});
