import { Big } from 'big.js';
import { canonicalJson, sha256Hex } from '#kit/index.ts';
import type { CatalogueModel } from './catalogue.ts';
import { priceCall } from './cost.ts';
import type { Endpoint } from './list-endpoints.ts';
import type { ChatRequest } from './parse-chat.ts';
import type { CacheUse } from './prompt-cache.ts';
import { countPrompt, type PromptCount } from './tokens.ts';
import { planWebSearch } from './web-search.ts';

/** What it takes to read a request, before anything is written. */
export interface ReadPrompt {
  /** Of all turns; without what searches found, except in `total`. */
  tokens: PromptCount;
  /** Of the turn that is answered: its length decides which tier of prices counts. */
  lastTokens: number;
  /** Of the tokens, USD. */
  cost: Big;
  webSearches: number;
  searchCost: Big;
  /** Of the pages that a scanner read. */
  pagesCost: Big;
}

interface Reader {
  model: CatalogueModel;
  endpoint: Endpoint;
  isOnline: boolean;
  cache: CacheUse;
  at: Date;
}

/** Of mistral-ocr; the other parsers are free (https://openrouter.ai/docs/features/multimodal/pdfs). */
const SCANNED_PAGE_USD = '0.002';

export function readPrompt(request: ChatRequest, { model, endpoint, isOnline, cache, at }: Reader): ReadPrompt {
  const { pricing } = endpoint;
  const count = countPrompt(request.messages, model.id);
  const seed = sha256Hex(canonicalJson(request.messages));
  const search = planWebSearch(request, { pricing, isOnline, seed });
  const turns = search.foundTokens.length;
  const lastTokens = count.total + (search.foundTokens.at(-1) ?? 0);
  const cost = search.foundTokens
    .map((found, turn) => ({
      prompt: count.total + found,
      promptAudio: count.audio,
      promptImage: count.image,
      pictures: count.pictures,
      // Only the first turn may find, or fill, what the session has sent before.
      ...(turn === 0 ? { cached: cache.cached, cacheWrite: cache.written } : {}),
    }))
    .reduce(
      (sum, tokens) => sum.plus(priceCall(pricing, { ...tokens, completion: 0, image: 0 }, at).prompt),
      new Big(0),
    );
  return {
    tokens: {
      total: search.foundTokens.reduce((sum, found) => sum + count.total + found, 0),
      image: count.image * turns,
      audio: count.audio * turns,
      video: count.video * turns,
      pictures: count.pictures,
      pages: count.pages,
    },
    lastTokens,
    cost,
    webSearches: search.count,
    searchCost: search.cost,
    pagesCost: isScanned(request, model) ? new Big(SCANNED_PAGE_USD).times(count.pages) : new Big(0),
  };
}

/** Without a parser that is named, a model that reads files does so itself, and for any other the pages are scanned. */
function isScanned({ plugins }: ChatRequest, model: CatalogueModel): boolean {
  const parser = plugins?.find(({ id }) => id === 'file-parser');
  const engine = (parser?.['pdf'] as { engine?: unknown } | undefined)?.engine;
  return engine === undefined ? !model.architecture.input_modalities.includes('file') : engine === 'mistral-ocr';
}
