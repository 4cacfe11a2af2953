import type { AnswerPart, JsonObject, MediaReference } from '#resources/index.ts';
import type { LivePart, PlacedPart, StreamPlace } from './call-request.ts';

/** What stands in a stream, in the order of its places. */
export interface WholeStream {
  run: number;
  parts: readonly AnswerPart[];
  json: JsonObject;
}

/** How many places a part takes. */
export function countPlaces(part: AnswerPart): number {
  return part.type === 'delta' ? part.text.length : 1;
}

/** Where a reader goes on: where he stands, if that is a place of this run, or else at its beginning. */
export function startAfter(run: number, after: StreamPlace | null): number {
  return after !== null && after.run === run ? after.position : 0;
}

/** The places of one run from `from` on, of parts that begin at `begins`. */
export function* placeFrom(
  parts: readonly AnswerPart[],
  { run, begins, from }: { run: number; begins: number; from: number },
): Generator<PlacedPart> {
  let position = begins;
  for (const part of parts) {
    const begun = position;
    position += countPlaces(part);
    if (position > from) {
      yield { run, position, part: begun < from ? cutOff(part, from - begun) : part };
    }
  }
}

/** A stream that has ended, for whoever reads it from `after` on. */
export function* placeParts({ run, parts, json }: WholeStream, after: StreamPlace | null): Generator<PlacedPart> {
  const from = startAfter(run, after);
  if (from === 0) {
    yield toBegin(run);
  }
  yield* placeFrom(parts, { run, begins: 0, from });
  const position = parts.reduce((sum, part) => sum + countPlaces(part), 0);
  yield toDone({ run, position }, { type: 'done', json, media: listMedia(parts) });
}

export function toBegin(run: number): PlacedPart {
  return { run, position: 0, part: { type: 'begin' } };
}

export function listMedia(parts: readonly AnswerPart[]): MediaReference[] {
  return parts.flatMap((part) => (part.type === 'media' ? [part.media] : []));
}

/** Behind the last part: first its receipt, then the end. */
export function toDone({ run, position }: StreamPlace, part: LivePart & { type: 'done' }): PlacedPart {
  return { run, position: position + 2, part };
}

/** How the text was cut into pieces is nothing to keep: its places are the same. */
export function joinDeltas(parts: readonly AnswerPart[]): AnswerPart[] {
  const joined: AnswerPart[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    if (part.type === 'delta' && last?.type === 'delta') {
      joined[joined.length - 1] = { type: 'delta', text: last.text + part.text };
    } else {
      joined.push(part);
    }
  }
  return joined;
}

function cutOff(part: AnswerPart, places: number): AnswerPart {
  return part.type === 'delta' ? { type: 'delta', text: part.text.slice(places) } : part;
}
