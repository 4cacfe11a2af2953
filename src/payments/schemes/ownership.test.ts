import { expect, test } from 'vitest';
import { readSources } from '../../../tests/support/architecture/read-sources.ts';

/** Words of one scheme. The networks' own transactions have nonces too, and HTTP has an Authorization header. */
const schemeWords = /EIP-?3009|validBefore|validAfter|WithAuthorization|\.authorization\b|invalid_exact|['"]exact['"]/i;
const schemeNonce = /\b(payment|payer|offer)\w*\.nonce\b/i;
/** Where a payment is put together, compared as a whole and stored. */
const wholePayments = new Set([
  'src/payments/payment.ts',
  'src/payments/stored-payment.ts',
  'src/payments/wire/decode-payment.ts',
]);

async function readOutsideSchemes(): Promise<[string, string][]> {
  const sources = [...(await readSources(['src/payments', 'src/gateway']))];
  return sources.filter(([path]) => !path.startsWith('src/payments/schemes/') && !path.endsWith('.test.ts'));
}

test('no file of payments and gateway outside a scheme’s folder knows what a scheme signs', async () => {
  const outside = await readOutsideSchemes();
  expect(outside.length).toBeGreaterThan(40);
  const found = outside.filter(([, text]) => {
    const code = withoutImports(text);
    return schemeWords.test(code) || schemeNonce.test(code);
  });
  expect(found.map(([path]) => path)).toEqual([]);
});

test('the payload of a payment is read by its scheme alone', async () => {
  const outside = await readOutsideSchemes();
  const found = outside.filter(([path, text]) => !wholePayments.has(path) && /payment\w*\.payload\b/i.test(text));
  expect(found.map(([path]) => path)).toEqual([]);
});

test('a file that reads a payload or names what is signed would be found', () => {
  expect(['if (payment.payload) {', 'again.payment.payload'].every((line) => /payment\w*\.payload\b/i.test(line))).toBe(
    true,
  );
  const lines = ['Number(a.authorization.value)', "reason === 'invalid_exact_evm_value'", "scheme: 'exact'"];
  expect(lines.every((line) => schemeWords.test(line))).toBe(true);
  expect(schemeNonce.test('values: [payment.nonce]')).toBe(true);
});

/** `index.ts` exports the schemes by their paths. */
function withoutImports(text: string): string {
  return text.replaceAll(/^(import|export) .* from '.*';$/gm, '');
}
