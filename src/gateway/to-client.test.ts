import { expect, test } from 'vitest';
import { toClient } from './to-client.ts';

test.each([
  ['2001:db8:1:2::1', '2001:db8:1:2:ffff:ffff:ffff:ffff'],
  ['2001:db8:1:2::1', '2001:0DB8:0001:0002::9%eth0'],
  ['192.0.2.7', '::ffff:192.0.2.7'],
])('%s and %s are one client', (one, other) => {
  expect(toClient(one)).toBe(toClient(other));
});

test.each([
  ['2001:db8:1:2::1', '2001:db8:1:3::1'],
  ['192.0.2.7', '192.0.2.8'],
  ['unknown', '192.0.2.8'],
])('%s and %s are two clients', (one, other) => {
  expect(toClient(one)).not.toBe(toClient(other));
});

test('the address cannot be read from the key', () => {
  expect(toClient('192.0.2.7')).toMatch(/^[0-9a-f]{32}$/);
});
