import {
  judgeMargin,
  priceOffers,
  type CostQuote,
  type Evidence,
  type Failure,
  type Outcome,
  type Parameter,
  type PublishedVersion,
  type RunContext,
} from '#resources/index.ts';
import type { ChatMessage } from '#upstreams/index.ts';
import type { ChatSettings } from './chat-settings.ts';
import type { MediaSettings } from './media-settings.ts';
import { measureMessages } from './measure-prompt.ts';
import type { UsableModel } from './named-model.ts';
import { quoteCost } from './quote-cost.ts';
import { recallBySize } from './recall-by-size.ts';
import { failBefore } from './run-chat.ts';

interface AskedCall {
  models: readonly UsableModel[];
  settings: ChatSettings & Pick<MediaSettings, 'audio'>;
  messages: readonly ChatMessage[];
  /** Those whose files the messages hold. */
  inputs?: readonly Parameter[];
  /** What buying the credit costs on top, in percent. */
  feePercent?: string | undefined;
}

const recallCost = recallBySize(quoteCost);

/** What one call is expected to cost, and at worst, with the prompt that it sends; null where nobody knows. USD. */
export function expectCost({ models, settings, messages, inputs = [], feePercent }: AskedCall): CostQuote | null {
  return recallCost({ models, settings, prompt: measureMessages(messages), inputs, feePercent });
}

/**
 * Prices may have risen since the call was admitted, and the highest ones that are sent along are those of now: what may lose
 * more than its creator accepts is not asked. Null where it may be. What the owner tries is paid by nobody.
 */
export function refuseLoss(
  {
    version,
    input,
    context,
  }: { version: PublishedVersion; input: Record<string, unknown>; context: Pick<RunContext, 'isTest'> },
  quote: CostQuote | null,
): Failure | null {
  if (context.isTest || version.offers.length === 0) {
    return null;
  }
  if (quote === null && version.maxLossUsd !== null && Number(version.maxLossUsd) === 0) {
    return failBefore('margin: What a call costs is not known any more, so nothing bounds what it may lose.');
  }
  const margin = judgeMargin({ ...version, offers: priceOffers(version, input) }, quote);
  return margin.ready ? null : failBefore(margin.cause);
}

/** Puts the expectation beside what the call did cost. */
export function withExpectedCost(outcome: Outcome, quote: CostQuote | null): Outcome {
  const expected = { expectedCostUsd: quote?.typicalUsd ?? null, worstCostUsd: quote?.worstUsd ?? null };
  const note = <Told extends { evidence: Evidence }>(told: Told): Told => {
    const { evidence } = told;
    return { ...told, evidence: { ...evidence, own: { ...evidence.own, ...expected } } };
  };
  const noted = note(outcome);
  if (!noted.ok || noted.answer.body.type !== 'parts') {
    return noted;
  }
  const { parts } = noted.answer.body;
  async function* noteEnd(): typeof parts {
    return note(yield* parts);
  }
  return { ...noted, answer: { ...noted.answer, body: { type: 'parts', parts: noteEnd() } } };
}
