import { refuse, type Asked, type Contract, type Said } from './asked.ts';
import { pickMessage } from './pick-message.ts';
import {
  judgeFormat,
  NO_TOOLS,
  refuseFilled,
  refuseToolChoice,
  splitMembers,
  type Dialect,
  type Judged,
} from './split-members.ts';

const NO_SOUND = 'Sound is what the resource decides to make: leave';

/** Pictures come where the resource makes them, whatever was asked for. */
function judgeModalities(value: unknown): Judged {
  return Array.isArray(value) && value.includes('audio')
    ? { refused: `${NO_SOUND} "audio" out of "modalities".` }
    : { ignored: 'modalities' };
}

const dialect: Dialect = {
  read: new Set(['messages']),
  hints: new Set([
    'frequency_penalty',
    'include_reasoning',
    'logit_bias',
    'max_completion_tokens',
    'max_tokens',
    'min_p',
    'parallel_tool_calls',
    'prediction',
    'presence_penalty',
    'prompt_cache_key',
    'prompt_cache_options',
    'prompt_cache_retention',
    'provider',
    'reasoning',
    'reasoning_effort',
    'repetition_penalty',
    'route',
    'safety_identifier',
    'seed',
    'service_tier',
    'session_id',
    'stop',
    'store',
    'temperature',
    'top_a',
    'top_k',
    'top_logprobs',
    'top_p',
    'transforms',
    'usage',
    'user',
    'verbosity',
  ]),
  demands: {
    audio: refuseFilled(`${NO_SOUND} "audio" out.`),
    function_call: refuseToolChoice,
    functions: refuseFilled(NO_TOOLS),
    logprobs: refuseFilled('Log probabilities are not told here.'),
    modalities: judgeModalities,
    models: refuseFilled('A resource has its own models: name it alone in "model".'),
    n: (value) => (value === 1 ? null : { refused: 'One call buys one answer: leave "n" out.' }),
    plugins: refuseFilled('Plugins cannot be added to a resource.'),
    response_format: judgeFormat,
    tool_choice: refuseToolChoice,
    tools: refuseFilled(NO_TOOLS),
    web_search_options: refuseFilled('A resource searches the web where its creator says so: leave this out.'),
  },
};

/** The body of `POST /v1/chat/completions`. Throws a Problem. */
export function readChat(body: Readonly<Record<string, unknown>>, contract: Contract): Asked {
  const said = readMessages(body['messages']);
  const { given, ignored } = splitMembers(body, contract, dialect);
  return { said, given, ignored: [...said.ignored, ...ignored] };
}

function readMessages(messages: unknown): Said {
  if (!Array.isArray(messages)) {
    throw refuse('/messages', 'Send "messages": a list whose last message is the user’s.');
  }
  return pickMessage(messages, 'messages');
}
