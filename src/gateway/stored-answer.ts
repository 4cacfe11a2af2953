import type { Outcome } from '#resources/index.ts';
import type { Answer, Receipt } from './call-request.ts';

/** An answer without its receipt, as it is kept in the row of its call. */
export type StoredAnswer = Omit<Answer, 'receipt'>;

export function toStoredAnswer(outcome: Outcome & { ok: true }): StoredAnswer {
  const { answer, evidence } = outcome;
  const { inputTokens, outputTokens } = evidence;
  return {
    response: answer.response,
    ...(answer.images && answer.images.length > 0 ? { images: answer.images } : {}),
    usage: {
      input_tokens: inputTokens,
      output_tokens: outputTokens,
      total_tokens: inputTokens === null || outputTokens === null ? null : inputTokens + outputTokens,
    },
    ...(evidence.isSimulated ? { simulated: true as const } : {}),
  };
}

export function withReceipt(answer: StoredAnswer, receipt: Receipt): Answer {
  return { ...answer, receipt };
}
