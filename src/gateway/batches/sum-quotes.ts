import { Big } from 'big.js';
import type { CostQuote } from '#resources/index.ts';

/** What all of them cost together; null where one of them is not known, or there is none. */
export function sumQuotes(quotes: readonly (CostQuote | null)[]): CostQuote | null {
  const known = quotes.filter((quote) => quote !== null);
  const [first, ...others] = known.length === quotes.length ? known : [];
  return first === undefined ? null : others.reduce(add, first);
}

function add(sum: CostQuote, quote: CostQuote): CostQuote {
  const { tokens, ...rest } = sum;
  return {
    ...rest,
    typicalUsd: plus(sum.typicalUsd, quote.typicalUsd),
    worstUsd: plus(sum.worstUsd, quote.worstUsd),
    ...(tokens && quote.tokens ? { tokens: addTokens(tokens, quote.tokens) } : {}),
  };
}

type Tokens = NonNullable<CostQuote['tokens']>;

function addTokens(one: Tokens, other: Tokens): Tokens {
  return {
    typicalInput: one.typicalInput + other.typicalInput,
    worstInput: one.worstInput + other.worstInput,
    maxOutput: one.maxOutput + other.maxOutput,
  };
}

function plus(one: string, other: string): string {
  return new Big(one).plus(other).toFixed();
}
