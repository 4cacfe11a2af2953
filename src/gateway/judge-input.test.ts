import { expect, test } from 'vitest';
import type { PublishedVersion, ResourceKind } from '#resources/index.ts';
import { publishedVersion } from '../../tests/support/execution-deps.ts';
import { judgeInput } from './judge-input.ts';

/** Twice as dear by the character beyond ten of them. */
const kind = {
  quoteCost: async (_config: unknown, _parameters: unknown, { input }: { input?: { text: string } }) => {
    const { length } = input?.text ?? '';
    const worstUsd = (0.001 * (length > 10 ? 2 * length : length)).toFixed(6);
    return { typicalUsd: '0', worstUsd, basis: '' };
  },
} as unknown as ResourceKind;
const deps = { kinds: new Map([['openrouter_instant', kind]]) };

const priceFormula: PublishedVersion['priceFormula'] = {
  baseUsdc: '0.001',
  terms: [{ parameter: 'text', per: 'character', usdc: '0.001' }],
};
const [offer] = publishedVersion().offers;
const offers = offer ? [{ ...offer, amountAtomic: 1_000_000n }] : [];
const judge = (more: Partial<PublishedVersion>, text?: string) =>
  judgeInput(deps, publishedVersion({ offers, maxLossUsd: '0', ...more }), text === undefined ? undefined : { text });

test('an input that may cost more than its own price is not sold, and comes back by itself; others are', async () => {
  expect(await judge({ priceFormula }, 'short')).toEqual({ ready: true });
  expect(await judge({ priceFormula }, 'longer than ten')).toMatchObject({
    ready: false,
    cause: expect.stringMatching(/^margin: A call can cost up to 0\.03 USD, and its price is 0\.016 USDC\./),
    retryAfterSeconds: 600,
  });
  expect(await judge({ priceFormula, maxLossUsd: '0.014' }, 'longer than ten')).toEqual({ ready: true });
});

test.each([
  ['a fixed price', {}, 'longer than ten'],
  ['no input', { priceFormula }, undefined],
  ['a version from before the guard', { priceFormula, maxLossUsd: null }, 'longer than ten'],
] as const)('of %s nothing more is said', async (...[, more, text]) => {
  expect(await judge(more, text)).toEqual({ ready: true });
});
