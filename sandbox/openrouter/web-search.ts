import { Big } from 'big.js';
import type { ChatRequest } from './parse-chat.ts';

export interface WebSearch {
  count: number;
  /** Of all searches, in USD. */
  cost: Big;
  /** What was found is read as prompt. */
  promptTokens: number;
}

/** What a search has found is read as prompt. */
const FOUND_TOKENS = 1_500;
/** USD per search; of a model that searches by itself its own price counts. */
const prices: Record<string, string> = { exa: '0.007', parallel: '0.005', perplexity: '0.005', firecrawl: '0.005' };
const SERVER_TOOL = 'openrouter:web_search';

/** The simulated model searches once, whether asked by a suffix, by the plugin or by the server tool. */
export function planWebSearch(request: ChatRequest, pricing: Record<string, unknown>, isOnline: boolean): WebSearch {
  const plugin = request.plugins?.find(({ id }) => id === 'web');
  const tool = request.tools?.find((candidate) => candidate['type'] === SERVER_TOOL);
  const settings = (tool?.['parameters'] ?? plugin ?? {}) as Record<string, unknown>;
  if (!isOnline && plugin === undefined && tool === undefined) {
    return { count: 0, cost: new Big(0), promptTokens: 0 };
  }
  const isForbidden = settings['max_uses'] === 0;
  const count = isForbidden ? 0 : 1;
  return {
    count,
    cost: new Big(priceOf(settings['engine'], pricing)).times(count),
    promptTokens: FOUND_TOKENS * count,
  };
}

function priceOf(engine: unknown, pricing: Record<string, unknown>): string {
  const named = typeof engine === 'string' ? prices[engine] : undefined;
  const own = pricing['web_search'];
  return named ?? (typeof own === 'string' ? own : (prices['exa'] ?? '0'));
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
