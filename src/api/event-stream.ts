import { once } from 'node:events';
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';

/** One event of `text/event-stream`; an object is written as JSON on one line, text of one line as it is. */
export interface ServerEvent {
  id?: string;
  event?: string;
  data: object | string;
}

export interface EventStream {
  /** Aborts when the reader has gone. */
  readonly gone: AbortSignal;
  /** Resolves once the reader's buffer has room for more: whoever awaits it holds one event at a time. Rejects when the reader has gone. */
  send(event: ServerEvent): Promise<void>;
  end(): void;
}

/** Proxies and browsers give up on a silent connection after 30 to 60 seconds. */
const HEARTBEAT_MS = 15_000;
/** Whoever takes nothing at all for this long, not even heartbeats, has gone. */
const STALLED_MS = 60_000;

/** Characters of events that leave together. */
const MOST_GATHERED = 16 * 1024;

const streamHeaders = { 'Content-Type': 'text/event-stream; charset=utf-8', 'X-Accel-Buffering': 'no' };

/**
 * Begins a response of server-sent events (HTML Standard, 9.2) with a comment as heartbeat while nothing is sent.
 * `Cache-Control` is for the caller to say.
 */
export function openEventStream(
  res: ServerResponse,
  answer: { status: number; headers: OutgoingHttpHeaders },
): EventStream {
  const gone = new AbortController();
  if (res.closed) {
    // Its `close` has been: nothing would clear the heartbeat, and nobody would wake whoever waits for room.
    gone.abort();
    return { gone: gone.signal, send: async () => gone.signal.throwIfAborted(), end: () => {} };
  }
  res.writeHead(answer.status, { ...answer.headers, ...streamHeaders });
  res.setTimeout(STALLED_MS, () => res.destroy());
  const timer = setInterval(() => {
    if (!res.writableNeedDrain) {
      res.write(': \n\n');
    }
  }, HEARTBEAT_MS);
  timer.unref();
  let gathered = '';
  let isGathering = false;
  let hasBegun = false;
  const release = (): void => {
    isGathering = false;
    if (!res.destroyed && gathered !== '') {
      res.write(gathered);
    } else if (!hasBegun) {
      res.flushHeaders();
    }
    gathered = '';
    hasBegun = true;
  };
  /**
   * What is there at the same moment leaves together, the headers included. Not by `cork` of the response, which in Node 24
   * hands the socket each piece, and each length between them, by itself.
   */
  const gather = (text: string): void => {
    gathered += text;
    if (gathered.length > MOST_GATHERED) {
      release();
    } else if (!isGathering) {
      isGathering = true;
      process.nextTick(release);
    }
  };
  // The headers do not wait for an event.
  gather('');
  // Whoever has gone is told by `close`; an error that nobody listens for would end the process.
  res.on('error', () => {});
  res.once('close', () => {
    clearInterval(timer);
    // An error for each stream that ended well is not cheap.
    if (!res.writableFinished) {
      gone.abort();
    }
  });
  return {
    gone: gone.signal,
    send: async ({ id, event, data }) => {
      gone.signal.throwIfAborted();
      const name = id === undefined ? '' : `id: ${id}\n`;
      const type = event === undefined ? '' : `event: ${event}\n`;
      const line = typeof data === 'string' ? data : JSON.stringify(data);
      gather(`${name}${type}data: ${line}\n\n`);
      if (res.writableNeedDrain) {
        await once(res, 'drain', { signal: gone.signal });
      }
    },
    end: () => {
      // A reader may take the rest long after, and a heartbeat behind the end is an error.
      clearInterval(timer);
      release();
      res.end();
    },
  };
}
