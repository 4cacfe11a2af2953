import type { Dispatcher } from 'undici';
import { TooLargeError } from './read-body.ts';

export type Head = { status: number; headers: Readonly<Record<string, string | string[] | undefined>> };

/** Told of a body as it comes; of `onEnd` and `onError` one, once. */
export interface BodyReader {
  onData(chunk: Buffer): void;
  onEnd(): void;
  /** The connection broke before the end, or nobody wants the rest. */
  onError(error: Error): void;
}

/** A body as it comes, without the stream that undici would put around it: that is a third of what an exchange takes. */
export interface AnswerBody {
  /** What has come already is told at once, in its order, what comes later in one piece for each turn. One reader. */
  read(reader: BodyReader): void;
  /** Nothing more is taken from the connection until `resume`. */
  pause(): void;
  resume(): void;
  /** Nobody wants the rest: the connection is closed where it has not come yet. */
  discard(): void;
  readonly isOver: boolean;
  /** Runs once when it is over. */
  whenOver(run: () => void): void;
}

export interface Answer extends Head {
  body: AnswerBody;
}

type Asked = Omit<Dispatcher.DispatchOptions, 'method'>;

/**
 * Sends one POST. Resolves with the head of its answer; rejects where none comes and, whatever the connection is doing then,
 * as soon as the signal says that nobody waits any more. Aborted later it breaks the body off.
 */
export function openAnswer(dispatcher: Dispatcher, asked: Asked, signal: AbortSignal): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  let controller: Dispatcher.DispatchController | null = null;
  const flow = openFlow(() => controller);
  const onAbort = (): void => {
    const error = new Error('Nobody waits for this answer any more.');
    controller?.abort(error);
    reject(error);
  };
  const end = (error: Error | null): void => {
    signal.removeEventListener('abort', onAbort);
    flow.end(error);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  dispatcher.dispatch(
    { ...asked, method: 'POST' },
    {
      onRequestStart: (started) => {
        controller = started;
        if (signal.aborted) {
          started.abort(new Error('Nobody waits for this answer any more.'));
        }
      },
      onResponseStart: (_, status, headers) => {
        if (status >= 200) {
          resolve({ status, headers, body: flow.body });
        }
      },
      onResponseData: (_, chunk) => flow.push(chunk),
      onResponseEnd: () => end(null),
      onResponseError: (_, error) => {
        reject(error);
        end(error);
      },
    },
  );
  return promise;
}

interface FlowState {
  reader: BodyReader | null;
  isPaused: boolean;
  waiting: Buffer[];
  over: { error: Error | null } | null;
}

function tellReader(state: FlowState): void {
  const { reader, isPaused, waiting } = state;
  if (reader !== null && !isPaused && waiting.length > 0) {
    state.waiting = [];
    reader.onData(waiting.length === 1 ? (waiting[0] as Buffer) : Buffer.concat(waiting));
  }
  const { over } = state;
  if (state.reader === null || over === null || (over.error === null && state.waiting.length > 0)) {
    return;
  }
  const { onEnd, onError } = state.reader;
  state.reader = null;
  if (over.error === null) {
    onEnd();
  } else {
    onError(over.error);
  }
}

/** Keeps what comes until the end of its turn, before somebody reads and while it is paused. */
function openFlow(toController: () => Dispatcher.DispatchController | null) {
  const state: FlowState = { reader: null, isPaused: false, waiting: [], over: null };
  let onOver: (() => void) | null = null;
  /** Once it is over the connection belongs to another answer. */
  const toOpen = () => (state.over === null ? toController() : null);
  /** It runs in a turn of its own: what a reader throws would end the process instead of the reading. */
  const tell = (): void => {
    const { reader } = state;
    try {
      tellReader(state);
    } catch (error) {
      state.reader = null;
      state.waiting = [];
      toOpen()?.abort(error as Error);
      reader?.onError(error as Error);
    }
  };
  const body: AnswerBody = {
    read: (given) => {
      state.reader = given;
      tell();
    },
    pause: () => {
      state.isPaused = true;
      toOpen()?.pause();
    },
    resume: () => {
      state.isPaused = false;
      tell();
      if (!state.isPaused) {
        toOpen()?.resume();
      }
    },
    discard: () => toOpen()?.abort(new Error('Nobody wants the rest of this answer.')),
    get isOver() {
      return state.over !== null;
    },
    whenOver: (run) => {
      if (state.over !== null) {
        run();
      } else {
        onOver = run;
      }
    },
  };
  return {
    body,
    push: (chunk: Buffer): void => {
      if (chunk.length === 0) {
        // undici tells one whenever it goes on: a reader who paused for it would never be told anything else.
        return;
      }
      state.waiting.push(chunk);
      // One read of a connection brings many chunks, each of a few bytes: they are told together.
      if (state.waiting.length === 1) {
        process.nextTick(tell);
      }
    },
    end: (error: Error | null): void => {
      state.over ??= { error };
      tell();
      onOver?.();
    },
  };
}

/** The whole body as text; `TooLargeError` when it is longer than `maxBytes`. */
export function readAnswerText(body: AnswerBody, maxBytes: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const chunks: Buffer[] = [];
  let bytes = 0;
  body.read({
    onData: (chunk) => {
      bytes += chunk.length;
      if (bytes > maxBytes) {
        reject(new TooLargeError('The answer of the upstream is too large.'));
        body.discard();
      } else {
        chunks.push(chunk);
      }
    },
    onEnd: () => resolve(Buffer.concat(chunks, bytes).toString('utf8')),
    onError: reject,
  });
  return promise;
}
