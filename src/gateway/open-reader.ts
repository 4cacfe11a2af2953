import type { AnswerPart } from '#resources/index.ts';
import type { LivePart, PlacedPart } from './call-request.ts';
import { countPlaces, toBegin, toDone } from './place-parts.ts';

/** Beyond this many places that its reader has not taken, a run waits for him. */
const MOST_WAITING = 256 * 1024;

/** The last part that readers get, made where the whole answer is stored. */
export type LastPart = Extract<LivePart, { type: 'done' | 'error' }>;

/** What waits for the one reader of a run, bounded. */
export interface Reader extends AsyncIterable<PlacedPart> {
  give(part: AnswerPart): void;
  /** Resolves when there is room for more; null: there is. A reader who makes the run wait for too long is given up. */
  room(): Promise<void> | null;
  end(last: LastPart): void;
}

export function openReader(run: number, patienceMs: number): Reader {
  let waiting = [toBegin(run)];
  let position = 0;
  /** Places that wait. */
  let places = 0;
  let leftMs = patienceMs;
  let state: 'open' | 'ended' | 'given up' = 'open';
  let arrived = Promise.withResolvers<void>();
  let taken = Promise.withResolvers<void>();
  const isFull = (): boolean => state === 'open' && places > MOST_WAITING;
  const isEmpty = (): boolean => state === 'open' && waiting.length === 0;
  const add = (placed: PlacedPart): void => {
    if (state === 'open') {
      join(waiting, placed);
      arrived.resolve();
    }
  };
  const giveUp = (): void => {
    state = 'given up';
    waiting = [];
    arrived.resolve();
    taken.resolve();
  };
  const untilRoom = async (): Promise<void> => {
    const begunAt = performance.now();
    const timer = setTimeout(giveUp, leftMs);
    while (isFull()) {
      taken = Promise.withResolvers();
      await taken.promise;
    }
    clearTimeout(timer);
    leftMs -= performance.now() - begunAt;
  };
  const next = async (): Promise<IteratorResult<PlacedPart, undefined>> => {
    while (isEmpty()) {
      arrived = Promise.withResolvers();
      await arrived.promise;
    }
    const value = waiting.shift();
    if (value === undefined) {
      return { done: true, value };
    }
    places = position - value.position;
    taken.resolve();
    return { done: false, value };
  };
  const leave = async (): Promise<IteratorResult<PlacedPart, undefined>> => {
    giveUp();
    return { done: true, value: undefined };
  };
  return {
    give: (part) => {
      position += countPlaces(part);
      places += countPlaces(part);
      add({ run, position, part });
    },
    room: () => (isFull() ? untilRoom() : null),
    end: (last) => {
      add(last.type === 'done' ? toDone({ run, position }, last) : { run, position, part: last });
      state = state === 'open' ? 'ended' : state;
    },
    [Symbol.asyncIterator]: () => ({ next, return: leave }),
  };
}

/** Text that comes while nobody reads waits as one part. */
function join(waiting: PlacedPart[], placed: PlacedPart): void {
  const last = waiting.at(-1);
  if (last?.part.type === 'delta' && placed.part.type === 'delta') {
    waiting[waiting.length - 1] = { ...placed, part: { type: 'delta', text: last.part.text + placed.part.text } };
  } else {
    waiting.push(placed);
  }
}
