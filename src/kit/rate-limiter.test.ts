import { expect, test } from 'vitest';
import { takeUnit } from './rate-limiter.ts';

async function countedAs(clientAddress: string): Promise<string[]> {
  const keys: string[] = [];
  const take = async (key: string) => {
    keys.push(key);
    return { isAllowed: true, retryAfterSeconds: 0 };
  };
  await takeUnit({ take }, clientAddress);
  return keys;
}

test.each([
  ['2001:db8:1:2::1', '2001:db8:1:2:ffff:ffff:ffff:ffff'],
  ['192.0.2.7', '::ffff:192.0.2.7'],
])('%s and %s have one allowance', async (one, other) => {
  expect(await countedAs(one)).toEqual(await countedAs(other));
});

test.each([
  ['2001:db8:1:2::1', '2001:db8:1:3::1'],
  ['192.0.2.7', '192.0.2.8'],
])('%s and %s have an allowance each', async (one, other) => {
  expect(await countedAs(one)).not.toEqual(await countedAs(other));
});
