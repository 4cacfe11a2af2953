import type { Database, Tx } from '#database/index.ts';
import type { Log } from '#kit/index.ts';
import type { AnswerPart } from '#resources/index.ts';
import { countPlaces, joinDeltas } from './place-parts.ts';

/** Told in all processes that more is kept of some stream; it names none, because there may be many. */
export const STREAMS_KEPT = 'streams_kept';

/** All streams of a process are written together this often: a short one never is, because its whole answer comes first. */
const GATHER_MS = 200;
/** A stream with this much unwritten is written at once, and beyond the second figure the run waits for it. */
const WRITE_AT = 64 * 1024;
const WAIT_AT = 256 * 1024;

const READERS_PER_CALL = 8;

/** One run of a call, kept while it comes. */
export interface KeptStream {
  /** @returns what the run is to wait for before it makes more; null: nothing. */
  add(part: AnswerPart): Promise<void> | null;
  /** The run has ended: nothing of it is written any more. */
  close(): Promise<void>;
  /** Readers elsewhere have something to look for. */
  announce(): void;
}

export interface StreamKeeper {
  open(call: { callId: string; run: number }): KeptStream;
  /** May one more read along with this call, in this process? Each is a connection and asks the database again and again. */
  hasRoom(callId: string): boolean;
  /** One more does, until what is returned is called. */
  enter(callId: string): () => void;
  /** Resolves when something may have been kept since it was asked, in any process. */
  untilKept(): Promise<void>;
  /** The notification has come. */
  onKept(): void;
}

interface Unwritten {
  callId: string;
  run: number;
  begins: number;
  places: number;
  parts: AnswerPart[];
}

/** A run that has been given up, or whose answer is stored, keeps nothing any more. */
const insert = `
  WITH kept AS (
    INSERT INTO call_stream_parts (call_id, run, begins, ends, parts)
    SELECT c.id, given.run, given.begins, given.ends, given.parts
    FROM unnest($1::uuid[], $2::int[], $3::int[], $4::int[], $5::text[]) AS given (call_id, run, begins, ends, parts)
    JOIN calls c ON c.id = given.call_id AND c.state = 'fulfilling' AND c.runs = given.run
    ON CONFLICT DO NOTHING)
  SELECT pg_notify('${STREAMS_KEPT}', '')`;

/** The whole answer is stored, or nobody may ask for it any more. */
export async function forgetStream(executor: Tx, { callId }: { callId: string }): Promise<void> {
  await executor.query({
    name: 'streams_forget',
    text: 'DELETE FROM call_stream_parts WHERE call_id = $1',
    values: [callId],
  });
}

export function keepStreams({
  database,
  log,
}: {
  database: Pick<Database, 'system'>;
  log: Pick<Log, 'warn'>;
}): StreamKeeper {
  const open = new Set<Unwritten>();
  const readers = new Map<string, number>();
  let mustTell = false;
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> | null = null;
  let kept = Promise.withResolvers<void>();

  const write = async (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    const rows = [...open].filter(({ parts }) => parts.length > 0).map(takeRow);
    mustTell = false;
    try {
      await database.system.query({ name: 'streams_keep', text: insert, values: toColumns(rows) });
    } catch (error) {
      // Readers elsewhere then wait for the whole answer.
      log.warn({ err: error, streams: rows.length }, 'what has come of streams could not be kept');
    }
  };
  /** One write at a time; whoever asks meanwhile gets the next one. */
  const writeSoon = (): Promise<void> => {
    writing ??= write().finally(() => {
      writing = null;
      if (mustTell || [...open].some(({ parts }) => parts.length > 0)) {
        timer ??= setTimeout(() => void writeSoon(), GATHER_MS);
      }
    });
    return writing;
  };
  const gather = (): void => {
    if (writing === null) {
      timer ??= setTimeout(() => void writeSoon(), GATHER_MS);
    }
  };
  return {
    open: ({ callId, run }) => {
      const unwritten: Unwritten = { callId, run, begins: 0, places: 0, parts: [] };
      open.add(unwritten);
      return {
        add: (part) => {
          unwritten.parts.push(part);
          unwritten.places += countPlaces(part);
          if (unwritten.places < WRITE_AT) {
            gather();
            return null;
          }
          const written = writeSoon();
          return unwritten.places < WAIT_AT ? null : written;
        },
        close: async () => {
          open.delete(unwritten);
          await writing;
        },
        announce: () => {
          mustTell = true;
          gather();
        },
      };
    },
    hasRoom: (callId) => (readers.get(callId) ?? 0) < READERS_PER_CALL,
    enter: (callId) => {
      readers.set(callId, (readers.get(callId) ?? 0) + 1);
      return () => {
        const left = (readers.get(callId) ?? 0) - 1;
        if (left > 0) {
          readers.set(callId, left);
        } else {
          readers.delete(callId);
        }
      };
    },
    untilKept: () => kept.promise,
    onKept: () => {
      kept.resolve();
      kept = Promise.withResolvers();
    },
  };
}

function takeRow(unwritten: Unwritten) {
  const { callId, run, begins, places, parts } = unwritten;
  unwritten.begins += places;
  unwritten.places = 0;
  unwritten.parts = [];
  return { callId, run, begins, ends: begins + places, parts: JSON.stringify(joinDeltas(parts)) };
}

function toColumns(rows: readonly ReturnType<typeof takeRow>[]): unknown[] {
  return [
    rows.map(({ callId }) => callId),
    rows.map(({ run }) => run),
    rows.map(({ begins }) => begins),
    rows.map(({ ends }) => ends),
    rows.map(({ parts }) => parts),
  ];
}
