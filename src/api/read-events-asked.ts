import type { IncomingMessage } from 'node:http';
import Negotiator from 'negotiator';
import type { EventsAsked, StreamPlace } from '#gateway/index.ts';

export const LAST_EVENT_ID = 'Last-Event-ID';

const EVENTS = 'text/event-stream';
const forms = ['application/json', EVENTS];

/** Whether the answer is wanted as events, and after which one. JSON unless events are preferred. */
export function readEventsAsked(req: IncomingMessage): EventsAsked | undefined {
  const wants = req.headers.accept?.includes('event-stream') === true && req.method !== 'HEAD';
  return wants && new Negotiator(req).mediaType(forms) === EVENTS ? { after: readPlace(req) } : undefined;
}

/** As the ids of our events are written; anything else is the beginning. */
function readPlace(req: IncomingMessage): StreamPlace | null {
  const given = req.headers['last-event-id'];
  const [, run, position] = /^(\d{1,6})-(\d{1,9})$/.exec(typeof given === 'string' ? given : '') ?? [];
  return run === undefined || position === undefined ? null : { run: Number(run), position: Number(position) };
}
