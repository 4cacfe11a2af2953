import type { ServerResponse } from 'node:http';
import { toProblemJson } from '#kit/index.ts';
import { withMedia, type CallOutcome, type PlacedPart } from '#gateway/index.ts';
import { openEventStream, type EventStream, type ServerEvent } from './event-stream.ts';

export type Answered = CallOutcome & { kind: 'answer' };

export interface Written {
  res: ServerResponse;
  requestId: string;
  headers: Readonly<Record<string, string>>;
  /** The whole answer has left. */
  onSent(): void;
  /** It broke off, and not because the client has gone. */
  onFault(error: unknown): void;
}

/**
 * Writes an answer as server-sent events, as fast as the client reads: `meta`, then `delta`, `media` and `usage` as they come,
 * then `receipt` and `done`, or `error`. A client who has gone is not waited for.
 */
export async function writeEvents(
  outcome: Answered,
  { res, requestId, headers, onSent, onFault }: Written,
): Promise<void> {
  const { answer } = outcome;
  const parts = answer.body.type === 'live' ? answer.body.parts : toNothing();
  if (res.closed) {
    await parts[Symbol.asyncIterator]().return?.();
    return;
  }
  const stream = openEventStream(res, { status: answer.status, headers });
  let isWhole = false;
  try {
    for await (const placed of parts) {
      isWhole = placed.part.type === 'done' || placed.part.type === 'error';
      if (placed.part.type === 'done') {
        res.once('finish', onSent);
      }
      await sendAll(stream, toEvents(outcome, { placed, requestId }));
    }
  } catch (error) {
    // The client finds no end and takes the stream up again.
    isWhole = false;
    if (!stream.gone.aborted) {
      onFault(error);
    }
  }
  if (isWhole) {
    stream.end();
  } else {
    res.destroy();
  }
}

async function* toNothing(): AsyncGenerator<PlacedPart> {}

async function sendAll(stream: EventStream, events: readonly ServerEvent[]): Promise<void> {
  for (const event of events) {
    await stream.send(event);
  }
}

interface Told {
  placed: PlacedPart;
  requestId: string;
}

function toEvents(outcome: Answered, { placed, requestId }: Told): ServerEvent[] {
  const { run, position, part } = placed;
  const { callId, isPaid, answer } = outcome;
  const { receipt, isSimulated, isTest } = answer;
  const id = `${run}-${position}`;
  switch (part.type) {
    case 'begin': {
      const { resource, version } = receipt;
      const flags = { ...(isSimulated ? { simulated: true } : {}), ...(isTest ? { test: true } : {}) };
      return [{ id, event: 'meta', data: { callId, resource, version, run, ...flags } }];
    }
    case 'delta':
      return [{ id, event: 'delta', data: { text: part.text } }];
    case 'media':
      return [{ id, event: 'media', data: part.media }];
    case 'usage':
      return [{ id, event: 'usage', data: part.usage }];
    case 'error':
      return [
        { id, event: 'error', data: toProblemJson(part.problem, { requestId, ...(isPaid ? { charged: true } : {}) }) },
      ];
    case 'done':
      return [
        { id: `${run}-${position - 1}`, event: 'receipt', data: withMedia(receipt, part.media) },
        { id, event: 'done', data: part.json },
      ];
  }
}
