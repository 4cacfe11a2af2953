import { plainFailure } from './parse-failure.ts';
import { hasOutput, type Collected } from './collect-answer.ts';
import type { ChatFailure, FailureKind } from './chat.ts';

interface Condition {
  kind: FailureKind;
  holds(collected: Collected): boolean;
}

/**
 * What makes an answer a failure although its body ended well at the transport's level, in order. Errors and malformed
 * events are found earlier, while reading. An answer with a finish reason is complete, whether an end mark or its usage
 * follows or not: a body that was cut does not end well.
 */
const conditions: readonly Condition[] = [
  { kind: 'too_large', holds: (it) => it.isTooLarge },
  { kind: 'truncated', holds: (it) => it.finishReason === null },
  { kind: 'filtered', holds: (it) => isEmpty(it) && (it.finishReason === 'content_filter' || it.hasRefused) },
  { kind: 'starved', holds: (it) => isEmpty(it) && hasOnlyReasoned(it) },
  { kind: 'empty', holds: isEmpty },
];

export function judgeAnswer(collected: Collected): ChatFailure | null {
  const failed = conditions.find((condition) => condition.holds(collected));
  return failed ? plainFailure(failed.kind) : null;
}

function isEmpty(collected: Collected): boolean {
  return (
    !hasOutput(collected) ||
    (collected.images.size === 0 && collected.audio.length === 0 && collected.text.trim() === '')
  );
}

function hasOnlyReasoned(collected: Collected): boolean {
  return collected.hasReasoned || (collected.finishReason === 'length' && (collected.usage?.reasoningTokens ?? 0) > 0);
}
