import { isObject } from '#kit/index.ts';
import { refuse, type Said } from './asked.ts';
import { readContent } from './read-content.ts';
import { NO_TOOLS } from './split-members.ts';

const OWN_PROMPT =
  'A resource has its own prompt and takes one message of the user, the last one: a system prompt cannot reach its model. Leave it out.';
const BEGUN = 'The last message is the user’s: an answer that was begun cannot be gone on with here.';
const NO_TURN =
  'A resource takes one message of the user, the last one; before it stand only texts of the user and the assistant.';

/**
 * The last message of a conversation, which is the user's. What user and assistant said before reaches no resource: it is
 * told as ignored. Anything else in it was to steer the answer and is refused. Throws a Problem.
 */
export function pickMessage(turns: readonly unknown[], member: string): Said {
  const last = Math.max(turns.length - 1, 0);
  turns.forEach((turn, index) => {
    const refused = judgeTurn(turn, index === last);
    if (refused !== null) {
      throw refuse(`/${member}/${index}`, refused);
    }
  });
  const turn = turns[last];
  const said = readContent(isObject(turn) ? turn['content'] : undefined, `/${member}/${last}/content`);
  return last === 0 ? said : { ...said, ignored: [`${member} (${last} earlier)`, ...said.ignored] };
}

function judgeTurn(turn: unknown, isLast: boolean): string | null {
  const { type = 'message', role, tool_calls: calls, function_call: call } = isObject(turn) ? turn : {};
  if (role === 'system' || role === 'developer') {
    return OWN_PROMPT;
  }
  if (role === 'tool' || role === 'function' || isFilled(calls) || isFilled(call)) {
    return NO_TOOLS;
  }
  if (type !== 'message' || (role !== 'user' && role !== 'assistant')) {
    return NO_TURN;
  }
  return isLast && role === 'assistant' ? BEGUN : null;
}

function isFilled(value: unknown): boolean {
  return value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0);
}
