import { parseEvent, type ChatEvent } from './parse-event.ts';

/** An event of plain text, cut where its text stands. */
interface Frame {
  before: string;
  after: string;
  event: ChatEvent;
}

/** So many events in a row that are unlike the one before: those of this upstream all differ in more than their text. */
const MOST_UNLIKE = 4;
/** Characters of an event that others are compared with: a large one is no piece of many. */
const MOST_COMPARED = 8_192;
const BEGIN = /"content":\s*"/;
const TEXT = /(?:[^"\\]|\\.)*/y;
const MARK = 'text';

/**
 * `parseEvent` for the events of one stream, most of which say the same but for their text: of these only the text is parsed.
 * What comes is the same, whatever the events are.
 */
export function openEventParser(): (json: string) => ChatEvent | null {
  let frame: Frame | null = null;
  let unlike = 0;
  return (json) => {
    const alike = frame === null ? null : parseAlike(frame, json);
    if (alike !== null) {
      unlike = 0;
      return alike;
    }
    const event = parseEvent(json);
    unlike += 1;
    frame = event === null || unlike > MOST_UNLIKE || json.length > MOST_COMPARED ? null : findFrame(json, event);
    return event;
  };
}

function parseAlike({ before, after, event }: Frame, json: string): ChatEvent | null {
  const end = json.length - after.length;
  // Comparing slices takes a third of what `startsWith` takes.
  if (end < before.length || json.slice(0, before.length) !== before || json.slice(end) !== after) {
    return null;
  }
  const text = parseText(json.slice(before.length, end));
  return text === null ? null : withText(event, text);
}

/** What stands between two quotes of JSON; null where that is not one text. */
function parseText(quoted: string): string | null {
  try {
    return JSON.parse(`"${quoted}"`) as string;
  } catch {
    return null;
  }
}

/**
 * Where the text of an event stands. That another text in this place is found as the text of the event proves it: no other
 * member can depend on it then.
 */
function findFrame(json: string, event: ChatEvent): Frame | null {
  const text = findText(event);
  const begin = BEGIN.exec(json);
  if (text === null || text === MARK || begin === null) {
    return null;
  }
  TEXT.lastIndex = begin.index + begin[0].length;
  const before = json.slice(0, TEXT.lastIndex);
  const quoted = TEXT.exec(json)?.[0] ?? '';
  const after = json.slice(before.length + quoted.length);
  const marked = parseEvent(`${before}${MARK}${after}`);
  return marked !== null && findText(marked) === MARK ? { before, after, event } : null;
}

function findText({ choices }: ChatEvent): string | null {
  const content = choices?.length === 1 ? choices[0]?.delta?.content : null;
  return typeof content === 'string' ? content : null;
}

function withText(event: ChatEvent, content: string): ChatEvent {
  const [choice] = event.choices ?? [];
  return choice?.delta ? { ...event, choices: [{ ...choice, delta: { ...choice.delta, content } }] } : event;
}
