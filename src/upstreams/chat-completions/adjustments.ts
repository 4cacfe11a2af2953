import { says } from './known-errors.ts';
import type { ChatRequest } from './chat.ts';
import { toText as toMessageText, toWireMessages } from './message-parts.ts';
import { toWireFormat } from './response-format.ts';

/** One way to ask an upstream for the same without what it does not take. */
export type Adjustment = (typeof knownRefusals)[number]['adjustment'];

/**
 * Requests that can never succeed as they are, by the words in which upstreams refuse them. `says`: as in the table of
 * known errors. What a creator has set is left out only where the model takes no such setting.
 */
const knownRefusals = [
  {
    adjustment: 'max_completion_tokens',
    says: ["'max_tokens' is not supported", 'max_completion_tokens'],
    source: 'ITSpecialist111/ai_automation_suggester#38 (OpenAI)',
  },
  {
    adjustment: 'no_temperature',
    says: ["'temperature' does not support"],
    source: 'johny-b/llmcomp#69 (OpenAI)',
  },
  {
    adjustment: 'no_temperature',
    says: ["'temperature' is not supported with this model"],
    source: 'johny-b/llmcomp#69 (OpenAI, of other models)',
  },
  {
    adjustment: 'no_top_p',
    says: ['temperature', 'top_p', 'cannot both be specified'],
    source: 'Vali-98/ChatterUI#564 (Anthropic)',
  },
  {
    adjustment: 'no_top_p',
    says: ["'top_p' is not supported with this model"],
    source: 'johny-b/llmcomp#69 (OpenAI, of another parameter)',
  },
  {
    adjustment: 'no_penalties',
    says: ['not support parameter presencepenalty'],
    source: 'lobehub/lobehub#13332 (xAI)',
  },
  {
    adjustment: 'no_penalties',
    says: ['argument not supported on this model: presencepenalty'],
    source: 'lobehub/lobehub#7370 (xAI)',
  },
  {
    adjustment: 'no_penalties',
    says: ['frequency_penalty', 'extra inputs are not permitted'],
    source: 'mistralai/platform-docs-public#7',
  },
  {
    adjustment: 'no_stream_options',
    says: ['stream_options', 'extra inputs are not permitted'],
    source: 'dnakov/anon-kode#53 (Mistral)',
  },
  {
    adjustment: 'no_stream_options',
    says: ['extra inputs are not permitted', 'stream_options'],
    source: 'FlowiseAI/Flowise#2866 (Fireworks)',
  },
  {
    adjustment: 'no_system_role',
    says: ["does not support 'system' with this model"],
    source: 'animalnots/BetterChatGPT-PLUS#90 (OpenAI)',
  },
  {
    adjustment: 'no_system_role',
    says: ['developer instruction is not enabled'],
    source: 'microsoft/vscode#258088 (Google, Gemma)',
  },
  {
    adjustment: 'no_json_schema',
    says: ['response_format', 'json_schema', 'is unavailable now'],
    source: 'browser-use/browser-use#215 (DeepSeek)',
  },
  {
    adjustment: 'no_json_schema',
    says: ['this response_format type is unavailable now'],
    source: 'llm-exe/llm-exe#662 (DeepSeek, later)',
  },
  {
    adjustment: 'no_json_schema',
    says: ["'response_format.type'", 'not one of the allowed values', 'json_object'],
    source: 'vercel/ai#7808 (Groq)',
  },
  {
    adjustment: 'no_json_schema',
    says: ['response_format.type', 'invalid value', 'json_schema', 'supported values', 'json_object'],
    source: 'agno-agi/agno#2553 (Volcengine)',
  },
  {
    adjustment: 'no_response_format',
    says: ["'response_format.type' must be 'json_schema'"],
    source: 'lmstudio-ai/lmstudio-bug-tracker#307',
  },
  {
    adjustment: 'no_response_format',
    says: ["'response_format' of type", 'is not supported with this model'],
    source: 'idootop/mi-gpt#142 (OpenAI)',
  },
  {
    adjustment: 'no_response_format',
    says: ['response_format parameter is unsupported'],
    source: 'BerriAI/litellm#6610 (xAI)',
  },
  {
    adjustment: 'no_response_format',
    says: ['unrecognized request argument supplied: response_format'],
    source: 'openai-php/client#251 (OpenAI)',
  },
  {
    adjustment: 'no_reasoning_effort',
    says: ['unrecognized request argument supplied: reasoning_effort'],
    source: 'yaroslavyaroslav/OpenAI-sublime-text#146 (OpenAI)',
  },
] as const;

/** What to change before asking again; null where the upstream's words are not known. */
export function findAdjustment(error: unknown, request: readonly string[]): Adjustment | null {
  const text = toText(error);
  return knownRefusals.find((known) => says(text, known.says, request))?.adjustment ?? null;
}

/** What a refusal of the adjusted form has to name. */
const words: Readonly<Record<Adjustment, string>> = {
  max_completion_tokens: 'max_completion_tokens',
  no_temperature: 'temperature',
  no_top_p: 'top_p',
  no_penalties: 'penalty',
  no_stream_options: 'stream_options',
  no_system_role: "'system'",
  no_json_schema: 'response_format',
  no_response_format: 'response_format',
  no_reasoning_effort: 'reasoning_effort',
};

/** Which adjustments a refusal may be about: what of them it names is not merely quoted from the request. */
export function listNamed(error: unknown, request: readonly string[]): Adjustment[] {
  const text = toText(error);
  return (Object.keys(words) as Adjustment[]).filter((adjustment) => says(text, [words[adjustment]], request));
}

function toText(error: unknown): string {
  return typeof error === 'string' ? error : (JSON.stringify(error) ?? '');
}

/** The body of the request in its wire form: only what every implementation of the format knows, less the adjustments. */
export function toWire(request: ChatRequest, adjustments: ReadonlySet<Adjustment>): Record<string, unknown> {
  const isWithout = (adjustment: Adjustment): boolean => adjustments.has(adjustment);
  const penalties = { frequency_penalty: request.frequencyPenalty, presence_penalty: request.presencePenalty };
  return {
    model: request.model,
    messages: toWireMessages(isWithout('no_system_role') ? toOneTurn(request.messages) : request.messages),
    [isWithout('max_completion_tokens') ? 'max_completion_tokens' : 'max_tokens']: request.maxTokens,
    ...(isWithout('no_temperature') ? {} : { temperature: request.temperature }),
    ...(isWithout('no_top_p') ? {} : { top_p: request.topP }),
    ...(isWithout('no_penalties') ? {} : penalties),
    ...(isWithout('no_response_format') ? {} : { response_format: toFormat(request, adjustments) }),
    ...(isWithout('no_reasoning_effort') ? {} : { reasoning_effort: request.reasoning?.effort }),
    stream: true,
    ...(isWithout('no_stream_options') ? {} : { stream_options: { include_usage: true } }),
  };
}

/** Where the schema cannot be named, JSON is asked for; the prompt holds the schema either way. */
function toFormat({ responseFormat }: ChatRequest, adjustments: ReadonlySet<Adjustment>) {
  const isPlain = responseFormat?.type === 'json_schema' && adjustments.has('no_json_schema');
  return toWireFormat(isPlain ? { type: 'json_object' } : responseFormat);
}

/** Models without a system turn read what stood in it at the beginning of the user's. */
function toOneTurn(messages: ChatRequest['messages']): ChatRequest['messages'] {
  const system = messages.filter(({ role }) => role === 'system').map(({ content }) => toMessageText(content));
  const [first, ...rest] = messages.filter(({ role }) => role !== 'system');
  const said = first?.content ?? '';
  const content =
    typeof said === 'string'
      ? [...system, ...(first ? [said] : [])].join('\n\n')
      : [{ type: 'text' as const, text: system.join('\n\n') }, ...said];
  return [{ role: first?.role ?? 'user', content }, ...rest];
}
