import { decodePaymentResponseHeader } from '@x402/core/http';
import { expect, test } from 'vitest';
import { toSettlementHeader } from './to-settlement-header.ts';

const report = { success: true, transaction: '0xabc', network: 'eip155:84532', payer: '0xpayer', amount: '10000' };

test('version 2: PAYMENT-RESPONSE, read by the SDK', () => {
  const header = toSettlementHeader(2, report);
  expect(header.name).toBe('PAYMENT-RESPONSE');
  expect(decodePaymentResponseHeader(header.value)).toEqual(report);
});

test('version 1: X-PAYMENT-RESPONSE with the old network name and without an amount', () => {
  const header = toSettlementHeader(1, report);
  expect(header.name).toBe('X-PAYMENT-RESPONSE');
  expect(decodePaymentResponseHeader(header.value)).toEqual({
    success: true,
    transaction: '0xabc',
    network: 'base-sepolia',
    payer: '0xpayer',
  });
});

test('a refusal carries its reason', () => {
  const { value } = toSettlementHeader(2, { ...report, success: false, transaction: '', reason: 'invalid_payload' });
  expect(decodePaymentResponseHeader(value)).toMatchObject({ success: false, errorReason: 'invalid_payload' });
});

test('a settlement header holds no fields but its own', () => {
  const sloppy = { ...report, secret: 'x', x402Version: 2 };
  expect(Object.keys(decodePaymentResponseHeader(toSettlementHeader(2, sloppy).value))).toEqual([
    'success',
    'payer',
    'transaction',
    'network',
    'amount',
  ]);
});
