import type { AnswerPart, PartsEnd } from '#resources/index.ts';
import type { LivePart } from './call-request.ts';

export interface WholeParts {
  parts: readonly AnswerPart[];
  end: PartsEnd;
}

interface KeptParts {
  /** For a reader who may be slow or turn away: the run goes on either way. May be read several times. */
  live: AsyncIterable<LivePart>;
  ended: Promise<void>;
}

/**
 * Reads the parts of a paid answer to their end and keeps them, as they may go out to a buyer meanwhile. How much that
 * can be is bounded by execution. `onEnd` stores the whole answer and tells the last part; it must not reject.
 */
export function keepParts(
  parts: AsyncGenerator<AnswerPart, PartsEnd>,
  onEnd: (whole: WholeParts) => Promise<LivePart>,
): KeptParts {
  const kept: AnswerPart[] = [];
  const all: LivePart[] = [];
  let isEnded = false;
  let changed = Promise.withResolvers<void>();
  const tell = (part: LivePart): void => {
    all.push(part);
    changed.resolve();
    changed = Promise.withResolvers();
  };
  const readAll = async (): Promise<void> => {
    for (let next = await parts.next(); ; next = await parts.next()) {
      if (next.done) {
        const last = await onEnd({ parts: kept, end: next.value });
        isEnded = true;
        return tell(last);
      }
      kept.push(next.value);
      tell(next.value);
    }
  };
  async function* read(): AsyncGenerator<LivePart> {
    for (let position = 0; ; position += 1) {
      if (position >= all.length && !isEnded) {
        await changed.promise;
      }
      const part = all[position];
      if (part === undefined) {
        return;
      }
      yield part;
    }
  }
  const ended = readAll();
  return { live: { [Symbol.asyncIterator]: read }, ended };
}
