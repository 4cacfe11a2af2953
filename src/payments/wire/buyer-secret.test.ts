import { describe, expect, test } from 'vitest';
import { answer, challengeFor, decode, read } from '../../../tests/support/make-challenge.ts';
import type { ChallengeAnswer } from '../challenge.ts';
import { readEchoed, withoutSecrets } from './buyer-secret.ts';

describe('the secret of a 402', () => {
  const secretOf = (told: ChallengeAnswer) => {
    const extension = decode(told).extensions?.['buyer-secret'] as { info: { secret: string } };
    return extension.info.secret;
  };

  test('is another one in each 402, and all else stays the same', () => {
    const challenge = challengeFor();
    const secrets = Array.from({ length: 2000 }, () => secretOf(answer(challenge)));
    expect(new Set(secrets).size).toBe(2000);
    expect(secrets.every((secret) => /^[A-Za-z0-9_-]{24}$/.test(secret))).toBe(true);
    const without = () => JSON.stringify(read(challenge)).replace(/"secret":"[^"]*"/, '');
    expect(without()).toBe(without());
  });

  test('stands where it belongs whatever the lengths and texts before it, in standard base64', () => {
    for (const description of ['', 'a', 'ab', 'é', '俳句', '~'.repeat(24), `"${'~'.repeat(24)}"`, '\ud800']) {
      const url = 'https://pay.example.com/x';
      const told = answer(challengeFor({ resource: { url, description, mimeType: 'application/json' } }));
      expect(told.headers['PAYMENT-REQUIRED']).toMatch(
        /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/,
      );
      expect(secretOf(told)).toMatch(/^[A-Za-z0-9_-]{24}$/);
      expect(decode(told).resource.description).toBe(description);
    }
  });
});

describe('what a payment sends back', () => {
  const secret = 'abcdefghijklmnopqrstuv-_';
  const paymentId = 'pay_7d5d747be160e280504c099d984bcfe0';

  test('is read from the extensions of a challenge and of the client', () => {
    const extensions = {
      bazaar: { info: {} },
      'buyer-secret': { info: { secret, more: 1 } },
      'payment-identifier': { info: { required: false, id: paymentId } },
    };
    expect(readEchoed(extensions)).toEqual({ buyerSecret: secret, paymentId });
  });

  test.each<[string, Record<string, unknown> | null | undefined]>([
    ['nothing', undefined],
    ['null', null],
    ['no extension of ours', { bazaar: {} }],
    ['another form', { 'buyer-secret': secret, 'payment-identifier': [paymentId] }],
    ['no text', { 'buyer-secret': { info: { secret: 1 } }, 'payment-identifier': { info: null } }],
    [
      'another length',
      { 'buyer-secret': { info: { secret: 'short' } }, 'payment-identifier': { info: { id: 'short' } } },
    ],
  ])('counts as absent where it is %s', (_, extensions) => {
    expect(readEchoed(extensions)).toBeNull();
  });
});

test('what is stored and passed on of the extensions of a payment shows nobody to be its buyer', () => {
  const extensions = { bazaar: { info: {} }, 'buyer-secret': { info: {} }, 'payment-identifier': { info: {} } };
  expect(withoutSecrets(extensions)).toEqual({ bazaar: { info: {} } });
});
