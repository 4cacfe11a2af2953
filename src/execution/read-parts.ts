import {
  jsonAnswer,
  noEvidence,
  type Answer,
  type AnswerPart,
  type JsonObject,
  type Outcome,
  type PartsEnd,
  type WholeBody,
} from '#resources/index.ts';
import { failure, MAX_ANSWER_BYTES, TOO_LARGE } from './check-outcome.ts';

type Parts = AsyncGenerator<AnswerPart, PartsEnd>;

/** A part counts for this much beside its content, so that pieces without content end, too. */
const PART_BYTES = 64;

export interface PartsGuard {
  /** Resolves when the run is cut off; never rejects. */
  cutOff: Promise<PartsEnd>;
  checkEnd(end: PartsEnd): PartsEnd;
  onThrow(error: unknown): PartsEnd;
  /** Called once: nothing more is read. Without an end of their own the parts may still be being made. */
  close(hasEnded: boolean): void;
}

/** The parts of a kind, which may throw, come too late, be too many or never end, as parts that end with a failure then. */
export async function* guardParts(parts: Parts, guard: PartsGuard): Parts {
  // Also while nobody asks for the next part.
  void guard.cutOff.then(() => endParts(parts));
  let bytes = 0;
  let hasEnded = false;
  try {
    for (;;) {
      // The cut-off first: parts that were ended by it answer at once, without an end.
      const next = await Promise.race([guard.cutOff, parts.next()]);
      if ('ok' in next) {
        return next;
      }
      if (next.done) {
        hasEnded = true;
        return guard.checkEnd(next.value);
      }
      bytes += sizeOf(next.value);
      if (bytes > MAX_ANSWER_BYTES) {
        return failure({ problem: 'upstream_failed', cause: TOO_LARGE }, noEvidence);
      }
      yield next.value;
    }
  } catch (error) {
    return guard.onThrow(error);
  } finally {
    guard.close(hasEnded);
    // Not awaited: a generator that waits for its upstream ends only when that does.
    void endParts(parts);
  }
}

/** Tells whoever makes the parts that nobody reads on. */
async function endParts(parts: Parts): Promise<void> {
  try {
    await parts.return(undefined as never);
  } catch {
    // Nobody reads on, so nobody is interested in how it ended.
  }
}

/** All parts as one answer of JSON, for settlement points at which the whole answer comes before it goes out. */
export async function collectParts(outcome: Outcome): Promise<Outcome<WholeBody>> {
  if (!outcome.ok) {
    return outcome;
  }
  const { body, ...answer } = outcome.answer;
  if (body.type !== 'parts') {
    return { ...outcome, answer: { ...answer, body } };
  }
  const kept: AnswerPart[] = [];
  for (;;) {
    const next = await body.parts.next();
    if (next.done) {
      return next.value.ok ? toWhole(kept, next.value) : next.value;
    }
    kept.push(next.value);
  }
}

/**
 * Waits for the first piece of output: from then on there is something to pay for. The answer comes back with the same
 * parts from the beginning on.
 */
export async function awaitFirstOutput(outcome: Outcome): Promise<Outcome> {
  if (!outcome.ok || outcome.answer.body.type !== 'parts') {
    return outcome;
  }
  const { parts } = outcome.answer.body;
  const held: AnswerPart[] = [];
  for (;;) {
    const next = await parts.next();
    if (next.done) {
      return next.value.ok ? toWhole(held, next.value) : next.value;
    }
    held.push(next.value);
    if (isOutput(next.value)) {
      return { ...outcome, answer: { ...outcome.answer, body: { type: 'parts', parts: replay(held, parts) } } };
    }
  }
}

function toWhole(parts: readonly AnswerPart[], { evidence, json }: PartsEnd & { ok: true }): Outcome<WholeBody> {
  return parts.some(isOutput)
    ? { ok: true, answer: joinParts(parts, json), evidence }
    : failure({ problem: 'upstream_failed', cause: 'empty_answer: The answer ended without any output.' }, evidence);
}

/** Finished parts as the JSON for a client that does not read parts. `rest`: what it says beside them. */
export function joinParts(parts: readonly AnswerPart[], rest: JsonObject = {}): Answer<WholeBody> {
  const media = parts.flatMap((part) => (part.type === 'media' ? [part.media] : []));
  const usage = parts.findLast((part) => part.type === 'usage')?.usage;
  const json = {
    response: parts.map((part) => (part.type === 'delta' ? part.text : '')).join(''),
    ...rest,
    ...(media.length === 0 ? {} : { media: media.map((file) => ({ ...file })) }),
    ...(usage === undefined ? {} : { usage }),
  };
  return jsonAnswer(json, media);
}

/** Blanks are nothing to pay for. */
function isOutput(part: AnswerPart): boolean {
  return part.type === 'media' || (part.type === 'delta' && part.text.trim() !== '');
}

function sizeOf(part: AnswerPart): number {
  return PART_BYTES + Buffer.byteLength(part.type === 'delta' ? part.text : JSON.stringify(part));
}

/** No generator function: one that was never asked for its first part would not pass on that its reader has left. */
function replay(held: readonly AnswerPart[], rest: Parts): Parts {
  const left = [...held];
  const next: Parts['next'] = async () => {
    const value = left.shift();
    return value ? { done: false, value } : rest.next();
  };
  const end: Parts['return'] = (value) => {
    left.length = 0;
    return rest.return(value);
  };
  return {
    next,
    return: end,
    throw: (error) => rest.throw(error),
    [Symbol.asyncIterator]() {
      return this;
    },
    [Symbol.asyncDispose]: async () => void (await end(undefined as never)),
  };
}
