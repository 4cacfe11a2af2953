import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { isUnguessable } from './is-unguessable.ts';

const body = createHash('sha256').update('{"topic":"rivers"}').digest('hex');

test.each([
  ['a UUID', randomUUID()],
  ['a UUID without hyphens', randomUUID().replaceAll('-', '')],
  ['what the payment-identifier extension makes', `pay_${randomUUID().replaceAll('-', '')}`],
  ['24 random bytes in hexadecimal', randomBytes(24).toString('hex')],
  ['a token of letters and digits', 'k3Jx9QmW2vTz7BpL4nRs8D'],
])('%s is a secret', (_, text) => {
  expect(isUnguessable(text, body)).toBe(true);
});

test.each([
  ['nothing', ''],
  ['a counter', 'order-000000000000000000000017'],
  ['a date', '2026-11-26T17:05:00.000Z-customer-17'],
  ['words', 'translate-the-quarterly-report-into-german'],
  ['one character again and again', 'a'.repeat(31)],
  ['a short number', '8f3a'],
  ['the digest of the body', body],
  ['a name with the digest of the body', `job-${body.toUpperCase()}`],
  ['a UUID made of a name', '6ba7b810-9dad-51d1-80b4-00c04fd430c8'],
  ['more than a header should hold', `${randomUUID()}${'x'.repeat(255)}`],
])('%s is none', (_, text) => {
  expect(isUnguessable(text, body)).toBe(false);
});
