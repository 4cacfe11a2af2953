import type { CostQuote, Outcome, Parameter } from '#resources/index.ts';
import type { ChatMessage } from '#upstreams/index.ts';
import type { ChatSettings } from './chat-settings.ts';
import type { MediaSettings } from './media-settings.ts';
import { measureMessages } from './measure-prompt.ts';
import type { UsableModel } from './named-model.ts';
import { quoteCost } from './quote-cost.ts';

interface AskedCall {
  models: readonly UsableModel[];
  settings: ChatSettings & Pick<MediaSettings, 'audio'>;
  messages: readonly ChatMessage[];
  /** Those whose files the messages hold. */
  inputs?: readonly Parameter[];
}

/** What one call is expected to cost, and at worst, with the prompt that it sends; null where nobody knows. USD. */
export function expectCost({ models, settings, messages, inputs = [] }: AskedCall): CostQuote | null {
  return quoteCost({ models, settings, prompt: measureMessages(messages), inputs });
}

/** Puts the expectation beside what the call did cost. */
export function withExpectedCost(outcome: Outcome, quote: CostQuote | null): Outcome {
  const { evidence } = outcome;
  const expected = { expectedCostUsd: quote?.typicalUsd ?? null, worstCostUsd: quote?.worstUsd ?? null };
  return { ...outcome, evidence: { ...evidence, own: { ...evidence.own, ...expected } } };
}
