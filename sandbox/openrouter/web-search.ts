import { Big } from 'big.js';
import type { ChatRequest } from './parse-chat.ts';
import { openRandom } from './seeded-random.ts';

export interface WebSearch {
  count: number;
  /** Of all searches, in USD. */
  cost: Big;
  /** Of what was found, read in each turn of the model: with the server tool it is asked again after each search. */
  foundTokens: readonly number[];
}

/** What one result of a search holds is read as prompt. */
const TOKENS_PER_RESULT = 300;
const USUAL_RESULTS = 5;
/** USD per search; of a model that searches by itself its own price counts. */
const prices: Record<string, string> = { exa: '0.007', parallel: '0.005', perplexity: '0.005', firecrawl: '0.005' };
/** Of Exa, for each result beyond the first ten. */
const EXTRA_RESULT_USD = '0.001';
const RESULTS_IN_PRICE = 10;
const SERVER_TOOL = 'openrouter:web_search';
const none: WebSearch = { count: 0, cost: new Big(0), foundTokens: [0] };

interface Searching {
  pricing: Record<string, unknown>;
  isOnline: boolean;
  /** By which the model decides how often it searches. */
  seed: string;
}

/** By a suffix or the plugin one search before the answer, by the server tool as often as the model likes within its limit. */
export function planWebSearch(request: ChatRequest, { pricing, isOnline, seed }: Searching): WebSearch {
  const plugin = request.plugins?.find(({ id }) => id === 'web');
  const tool = request.tools?.find((candidate) => candidate['type'] === SERVER_TOOL);
  const settings = (tool?.['parameters'] ?? plugin ?? {}) as Record<string, unknown>;
  if (!isOnline && plugin === undefined && tool === undefined) {
    return none;
  }
  const most = toCount(settings['max_uses'], 1);
  const count = tool === undefined || most === 0 ? Math.min(1, most) : openRandom(seed, 'searches').integer(1, most);
  const results = toCount(settings['max_results'], USUAL_RESULTS);
  const found = results * TOKENS_PER_RESULT;
  return {
    count,
    cost: priceOf(settings['engine'], { pricing, results }).times(count),
    foundTokens: tool === undefined ? [found * count] : Array.from({ length: count + 1 }, (_, turn) => turn * found),
  };
}

function toCount(value: unknown, otherwise: number): number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : otherwise;
}

function priceOf(engine: unknown, { pricing, results }: { pricing: Record<string, unknown>; results: number }): Big {
  const named = typeof engine === 'string' ? prices[engine] : undefined;
  const own = pricing['web_search'];
  const isExa = engine === 'exa' || (named === undefined && typeof own !== 'string');
  const extra = isExa ? Math.max(0, results - RESULTS_IN_PRICE) : 0;
  const price = new Big(named ?? (typeof own === 'string' ? own : (prices['exa'] ?? '0')));
  return price.plus(new Big(EXTRA_RESULT_USD).times(extra));
}

/** What the answer cites: one page that does not exist, under the name reserved for examples. */
export function toCitations(count: number): Record<string, unknown>[] {
  return Array.from({ length: count }, () => ({
    type: 'url_citation',
    url_citation: {
      url: 'https://example.com/simulated',
      title: 'A simulated page',
      content: '[simulated] what a search would have found',
      start_index: 0,
      end_index: 0,
    },
  }));
}
