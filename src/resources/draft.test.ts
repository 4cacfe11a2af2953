import { expect, test } from 'vitest';
import { createResource, updateResource } from './index.ts';

function accepts(fields: Record<string, unknown>): boolean {
  return createResource.input.safeParse({ kind: 'toy', slug: 'a', ...fields }).success;
}

const nested = (depth: number): unknown => (depth === 0 ? 1 : { a: nested(depth - 1) });

test.each([
  [{}],
  [{ slug: 'a'.repeat(60) }],
  [{ slug: 'a-1-b' }],
  [{ category: null, priceUsdc: null, network: null, payTo: null }],
  [{ config: { template: '{"\\u0000" \\u0000 🦊', nested: nested(30) } }],
  [{ tags: ['a-b', 'c3'] }],
  [{ timeoutSeconds: 5 }],
])('a draft may be %j', (fields) => expect(accepts(fields)).toBe(true));

test.each([
  [{ slug: '' }],
  [{ slug: 'A' }],
  [{ slug: 'a--b' }],
  [{ slug: '-a' }],
  [{ slug: 'a-' }],
  [{ slug: 'a/b' }],
  [{ slug: 'a%2fb' }],
  [{ slug: 'é' }],
  [{ slug: 'a\n' }],
  [{ slug: 'a'.repeat(61) }],
  [{ name: 'x'.repeat(101) }],
  [{ name: 'nul \0' }],
  [{ name: 'half \ud800' }],
  [{ name: null }],
  [{ description: 'x'.repeat(2001) }],
  [{ category: 'cats' }],
  [{ tags: ['Not A Tag'] }],
  [{ tags: Array.from({ length: 11 }, () => 'a') }],
  [{ priceUsdc: 0.01 }],
  [{ timeoutSeconds: 4 }],
  [{ timeoutSeconds: 3_601 }],
  [{ timeoutSeconds: 30.5 }],
  [{ parameters: {} }],
  [{ parameters: [{ name: 'a', description: '\0' }] }],
  [{ config: [] }],
  [{ config: { template: 'nul \0' } }],
  [{ config: { 'half \udc00': 1 } }],
  [{ config: nested(40) }],
  [{ config: { template: 'x'.repeat(200_001) } }],
  [{ owner_id: 'somebody' }],
  [{ state: 'published' }],
])('a draft cannot be %j', (fields) => expect(accepts(fields)).toBe(false));

test('an edit cannot change the kind', () => {
  const id = '01a1fe11-e7ec-74e7-a6f4-36061437c03d';
  expect(updateResource.input.safeParse({ id, kind: 'other' }).success).toBe(false);
});
