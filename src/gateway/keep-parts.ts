import type { AnswerPart, PartsEnd } from '#resources/index.ts';
import type { PlacedPart } from './call-request.ts';
import type { KeptStream } from './keep-streams.ts';
import { openReader, type LastPart, type Reader } from './open-reader.ts';

export interface WholeParts {
  parts: readonly AnswerPart[];
  end: PartsEnd;
}

interface Keeping {
  parts: AsyncGenerator<AnswerPart, PartsEnd>;
  run: number;
  /** Where the parts are kept meanwhile, for readers elsewhere; null: nobody reads before the end. */
  kept: KeptStream | null;
  /** For how long the run waits for its reader, all in all. */
  patienceMs?: number;
}

interface KeptParts {
  /** For one reader, who may be slow or turn away: the run goes on either way. */
  live: AsyncIterable<PlacedPart>;
  ended: Promise<void>;
}

const PATIENCE_MS = 10_000;

/**
 * Reads the parts of a paid answer to their end and keeps them, as they may go out to a buyer meanwhile; no faster than they
 * are kept and, for a time, than the buyer reads (docs/decisions/0030). `onEnd` stores the whole answer and tells the last
 * part; it must not reject.
 */
export function keepParts(keeping: Keeping, onEnd: (whole: WholeParts) => Promise<LastPart>): KeptParts {
  const { run, kept } = keeping;
  const reader = openReader(run, keeping.patienceMs ?? PATIENCE_MS);
  const keep = async (): Promise<void> => {
    const whole = await readAll(keeping, reader);
    await kept?.close();
    const last = await onEnd(whole);
    kept?.announce();
    reader.end(last);
  };
  return { live: reader, ended: keep() };
}

/** The parts and how they ended. `reader`: whoever reads them meanwhile. */
export async function readAll(
  { parts, kept }: Pick<Keeping, 'parts' | 'kept'>,
  reader: Pick<Reader, 'give' | 'room'> | null = null,
): Promise<WholeParts> {
  const all: AnswerPart[] = [];
  for (let next = await parts.next(); ; next = await parts.next()) {
    if (next.done) {
      return { parts: all, end: next.value };
    }
    const part = next.value;
    all.push(part);
    reader?.give(part);
    await kept?.add(part);
    await reader?.room();
  }
}
