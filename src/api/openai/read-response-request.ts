import { isObject } from '#kit/index.ts';
import { refuse, type Asked, type Contract, type Said } from './asked.ts';
import { pickMessage } from './pick-message.ts';
import { readContent } from './read-content.ts';
import {
  judgeFormat,
  NO_TOOLS,
  refuseFilled,
  refuseToolChoice,
  splitMembers,
  type Dialect,
  type Judged,
} from './split-members.ts';

const NO_HISTORY = 'Answers are not kept as conversations here: send the message in "input".';

const dialect: Dialect = {
  read: new Set(['input']),
  hints: new Set([
    'include',
    'max_output_tokens',
    'max_tool_calls',
    'parallel_tool_calls',
    'prompt_cache_key',
    'prompt_cache_options',
    'prompt_cache_retention',
    'reasoning',
    'safety_identifier',
    'service_tier',
    'store',
    'temperature',
    'top_logprobs',
    'top_p',
    'truncation',
    'user',
  ]),
  demands: {
    background: refuseFilled('A response is made while the client waits: leave "background" out.'),
    context_management: refuseFilled(NO_HISTORY),
    conversation: refuseFilled(NO_HISTORY),
    instructions: refuseFilled('A resource has its own prompt: instructions cannot reach its model.'),
    previous_response_id: refuseFilled(NO_HISTORY),
    prompt: refuseFilled('A resource is its own prompt: stored prompts of others cannot be used.'),
    text: judgeText,
    tool_choice: refuseToolChoice,
    tools: refuseFilled(NO_TOOLS),
  },
};

/** The body of `POST /v1/responses`. Throws a Problem. */
export function readResponseRequest(body: Readonly<Record<string, unknown>>, contract: Contract): Asked {
  const said = readInput(body['input']);
  const { given, ignored } = splitMembers(body, contract, dialect);
  return { said, given, ignored: [...said.ignored, ...ignored] };
}

function judgeText(text: unknown, contract: Contract): Judged {
  const { format, verbosity } = isObject(text) ? text : {};
  const judged = format === undefined ? null : judgeFormat(format, contract);
  return judged ?? (verbosity === undefined ? null : { ignored: 'text.verbosity' });
}

function readInput(input: unknown): Said {
  if (typeof input === 'string' || input === undefined || input === null) {
    return readContent(input, '/input');
  }
  if (!Array.isArray(input)) {
    throw refuse('/input', '"input" is text or a list whose last message is the user’s.');
  }
  return pickMessage(input, 'input');
}
