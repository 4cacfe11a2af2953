import type { EventSourceMessage } from 'eventsource-parser';
import { EventSourceParserStream } from 'eventsource-parser/stream';

/** One event as a client reads it; `data` from its JSON. */
export interface ReadEvent {
  id: string | undefined;
  event: string | undefined;
  data: Record<string, unknown>;
}

interface Asked {
  payment?: string;
  topic?: string;
  headers?: Record<string, string>;
  fetch?: typeof fetch;
}

/** Asks for an answer as a stream and reads it event by event, as it comes. */
export async function openEvents(url: string, { payment, topic, headers, ...asked }: Asked) {
  const left = new AbortController();
  const response = await (asked.fetch ?? fetch)(url, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      Accept: 'text/event-stream',
      ...(payment === undefined ? {} : { 'PAYMENT-SIGNATURE': payment }),
      ...headers,
    },
    body: JSON.stringify({ topic }),
    signal: left.signal,
  });
  const { next, comments } = readEventsOf(response);
  const rest = async (): Promise<ReadEvent[]> => {
    const read: ReadEvent[] = [];
    for (let event = await next(); event !== null; event = await next()) {
      read.push(event);
    }
    return read;
  };
  /** All until this event, itself included. */
  const until = async (name: string): Promise<ReadEvent[]> => {
    const read: ReadEvent[] = [];
    for (let event = await next(); event !== null; event = await next()) {
      read.push(event);
      if (event.event === name) {
        break;
      }
    }
    return read;
  };
  return { response, next, comments, rest, until, leave: () => left.abort() };
}

/** The events of a response one by one, and the comments between those that were read; `next` is null at the end, and rejects where the connection broke before. */
export function readEventsOf({ body }: Response) {
  const comments: string[] = [];
  const events = (body as ReadableStream<Uint8Array<ArrayBuffer>>)
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream({ onComment: (text) => void comments.push(text) }))
    .getReader();
  const next = async (): Promise<ReadEvent | null> => {
    const { value, done } = await events.read();
    return done ? null : toEvent(value);
  };
  return { next, comments, leave: () => events.cancel() };
}

function toEvent({ id, event, data }: EventSourceMessage): ReadEvent {
  return { id, event, data: JSON.parse(data) as Record<string, unknown> };
}

/** The text of a stream from its last beginning on. */
export function toText(events: readonly ReadEvent[]): string {
  const begins = events.findLastIndex(({ event }) => event === 'meta');
  return events
    .slice(begins + 1)
    .map(({ event, data }) => (event === 'delta' ? String(data['text']) : ''))
    .join('');
}

export function listNames(events: readonly ReadEvent[]): (string | undefined)[] {
  return events.map(({ event }) => event);
}
