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
  res.flushHeaders();
  res.setTimeout(STALLED_MS, () => res.destroy());
  const timer = setInterval(() => {
    if (!res.writableNeedDrain) {
      res.write(': \n\n');
    }
  }, HEARTBEAT_MS);
  timer.unref();
  let isGathered = false;
  const release = (): void => {
    if (isGathered) {
      isGathered = false;
      res.uncork();
    }
  };
  /** Events that are there at the same moment leave together. */
  const gather = (): void => {
    if (!isGathered) {
      isGathered = true;
      res.cork();
      process.nextTick(release);
    }
  };
  res.once('close', () => {
    clearInterval(timer);
    gone.abort();
  });
  return {
    gone: gone.signal,
    send: async ({ id, event, data }) => {
      gone.signal.throwIfAborted();
      gather();
      const name = id === undefined ? '' : `id: ${id}\n`;
      const type = event === undefined ? '' : `event: ${event}\n`;
      const line = typeof data === 'string' ? data : JSON.stringify(data);
      if (!res.write(`${name}${type}data: ${line}\n\n`)) {
        await once(res, 'drain', { signal: gone.signal });
      }
    },
    end: () => {
      // What is gathered is lost behind the end otherwise.
      release();
      res.end();
    },
  };
}
