import { Big } from 'big.js';
import type { Tier } from '#models/index.ts';
import type { ChatSettings } from './chat-settings.ts';
import { MAX_FAULTS, MAX_FAULT_CHARACTERS } from './open-faults.ts';

/** Tokens and searches of one request. */
export interface TurnNeed {
  promptTokens: number;
  /** Of text, reasoning included. */
  writtenTokens: number;
  imageTokens: number;
  webSearches: number;
}

interface Asked {
  settings: Pick<ChatSettings, 'outputSchema' | 'webSearch'>;
  /** Of the first turn. */
  need: Record<Tier, TurnNeed>;
  contextLength: number | null;
  /** What one turn costs, USD; null where nobody knows. */
  price(need: TurnNeed, tier: Tier): string | null;
}

export interface ExtraCost {
  typicalUsd: string;
  worstUsd: string;
  /** Empty where nothing is added. */
  basis: string;
}

/** USD of one search with at most ten results, the dearest that the engine may take (https://openrouter.ai/docs/features/web-search). */
const searchUsd = { exa: '0.007', parallel: '0.005', perplexity: '0.005' } as const;
/** Tokens of one result of a search, which are read as prompt. */
const FOUND_TOKENS = { usual: 400, worst: 1_000 };
/** What the second turn says is wrong with the first answer: a token a byte, three bytes a character, and its own sentences. */
const REPAIR_TOKENS = MAX_FAULTS * MAX_FAULT_CHARACTERS * 3 + 300;

/** What web searches and a second turn for the JSON output cost beside the first turn; null where nobody knows. */
export function priceExtras(asked: Asked): ExtraCost | null {
  const { webSearch, outputSchema } = asked.settings;
  const typical = priceSearches(asked, asked.need.usual, 'usual');
  const first = priceSearches(asked, asked.need.worst, 'worst');
  const second = outputSchema === undefined ? new Big(0) : priceRepair(asked);
  if (typical === null || first === null || second === null) {
    return null;
  }
  const basis = [
    ...(webSearch ? [`1 to ${webSearch.maxUses} web searches with ${webSearch.engine}, each read as prompt`] : []),
    ...(outputSchema ? ['at worst the whole answer twice, because the first did not fit the outputSchema'] : []),
  ];
  return { typicalUsd: typical.toFixed(), worstUsd: first.plus(second).toFixed(), basis: basis.join('; ') };
}

/** The model is asked again after each search, with all that it was sent before and what was found. */
function priceSearches({ settings, price, contextLength }: Asked, need: TurnNeed, tier: Tier): Big | null {
  const { webSearch } = settings;
  let total = new Big(0);
  if (webSearch === undefined) {
    return total;
  }
  const uses = tier === 'worst' ? webSearch.maxUses : 1;
  for (let done = 1; done <= uses; done += 1) {
    const found = done * webSearch.maxResults * FOUND_TOKENS[tier];
    const written = tier === 'worst' ? done * need.writtenTokens : 0;
    const turn = price(
      { ...need, promptTokens: clip(need.promptTokens + found + written, contextLength), imageTokens: 0 },
      tier,
    );
    if (turn === null) {
      return null;
    }
    total = total.plus(turn).plus(searchUsd[webSearch.engine]);
  }
  return total;
}

function priceRepair(asked: Asked): Big | null {
  const { worst } = asked.need;
  const promptTokens = clip(worst.promptTokens + worst.writtenTokens + REPAIR_TOKENS, asked.contextLength);
  const need = { ...worst, promptTokens };
  const [turn, searches] = [asked.price(need, 'worst'), priceSearches(asked, need, 'worst')];
  return turn === null || searches === null ? null : searches.plus(turn);
}

function clip(tokens: number, contextLength: number | null): number {
  return contextLength === null ? tokens : Math.min(tokens, contextLength);
}
