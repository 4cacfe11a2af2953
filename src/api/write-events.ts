import { toProblemJson } from '#kit/index.ts';
import { withMedia, type PlacedPart } from '#gateway/index.ts';
import type { EventStream, ServerEvent } from './event-stream.ts';
import { streamAnswer, type Answered, type Written } from './stream-answer.ts';

/**
 * Writes an answer as server-sent events: `meta`, then `delta`, `media` and `usage` as they come,
 * then `receipt` and `done`, or `error`.
 */
export function writeEvents(outcome: Answered, written: Written): Promise<void> {
  const { res, requestId, onSent } = written;
  return streamAnswer(outcome, written, async (stream, parts) => {
    let isWhole = false;
    for await (const placed of parts) {
      isWhole = placed.part.type === 'done' || placed.part.type === 'error';
      if (placed.part.type === 'done') {
        res.once('finish', onSent);
      }
      await sendAll(stream, toEvents(outcome, { placed, requestId }));
    }
    return isWhole;
  });
}

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
