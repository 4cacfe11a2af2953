/** How upstreams put an error in words: what its message says, and the name that execution has a rule for. */
export interface KnownError {
  name: string;
  /** Pieces in lower case that stand in the message in this order. */
  says: readonly string[];
  /** A public report or document that shows the message. */
  source: string;
}

/**
 * First match wins. Several upstreams name every refusal `invalid_request_error`, so that only the words tell it. A name
 * that pauses anything is told by one piece alone, and by one that no prompt holds by chance (see `says`).
 */
export const knownErrors: readonly KnownError[] = [
  { name: 'max_tokens_exceeded', says: ['max_tokens is too large'], source: 'diffbot/code-gpt-docs#284 (OpenAI)' },
  { name: 'max_tokens_exceeded', says: ["'max_completion_tokens' is too large"], source: 'vllm-project/vllm#33418' },
  {
    name: 'max_tokens_exceeded',
    says: ['valid range of max_tokens is'],
    source: 'deepseek-ai/DeepSeek-V3#69',
  },
  {
    name: 'max_tokens_exceeded',
    says: ['range of max_tokens should be'],
    source: 'open-webui/open-webui#10507 (Qwen)',
  },
  {
    name: 'tokens_per_minute_exceeded',
    says: ['request too large for model', 'tokens per minute'],
    source: 'ITSpecialist111/ai_automation_suggester#61 (Groq)',
  },

  {
    name: 'context_length_exceeded',
    says: ['maximum context length'],
    source: 'smol-ai/developer#7 (OpenAI), vllm-project/vllm#20409, RooCodeInc/Roo-Code#1767 (DeepSeek)',
  },
  { name: 'context_length_exceeded', says: ['prompt is too long'], source: 'whoz-oss/coday#26 (Anthropic)' },
  {
    name: 'context_length_exceeded',
    says: ['input length and `max_tokens` exceed context limit'],
    source: 'docker/docker-agent#569 (Anthropic)',
  },
  {
    name: 'context_length_exceeded',
    says: ['extra usage is required for long context'],
    source: 'anomalyco/opencode#18853 (Anthropic)',
  },
  {
    name: 'context_length_exceeded',
    says: ['input token count', 'exceeds the maximum number of tokens'],
    source: 'google-gemini/gemini-cli#6678',
  },
  {
    name: 'context_length_exceeded',
    says: ['reduce the length of the messages'],
    source: 'thepersonalaicompany/amurex-backend#51 (Groq)',
  },
  {
    name: 'context_length_exceeded',
    says: ['input is too long for requested model'],
    source: 'strands-agents/harness-sdk#1663 (Bedrock)',
  },
  {
    name: 'context_length_exceeded',
    says: ['maximum prompt length is'],
    source: 'cline/cline#3120 (xAI)',
  },
  {
    name: 'context_length_exceeded',
    says: ['exceeds the available context size'],
    source: 'oobabooga/textgen#7257 (llama.cpp)',
  },
  {
    name: 'context_length_exceeded',
    says: ['exceed context window of'],
    source: 'rllm-team/rllm#55 (llama-cpp-python)',
  },
  {
    name: 'context_length_exceeded',
    says: ['the model is loaded with context length'],
    source: 'lmstudio-ai/lmstudio-bug-tracker#546',
  },
  {
    name: 'context_length_exceeded',
    says: ['range of input length should be'],
    source: 'QwenLM/qwen-code#98',
  },
  {
    name: 'context_length_exceeded',
    says: ['context window exceeds limit'],
    source: 'MiniMax-AI/MiniMax-M2#119',
  },
  {
    name: 'context_length_exceeded',
    says: ['exceeded model token limit'],
    source: 'anomalyco/opencode, packages/llm/src/provider-error.ts (Moonshot)',
  },
  {
    name: 'context_length_exceeded',
    says: ['prompt exceeds max length'],
    source: 'tashfeenahmed/freellmapi#873 (Zhipu)',
  },
  {
    name: 'context_length_exceeded',
    says: ['context length exceeded'],
    source: 'https://openrouter.ai/docs/api-reference/errors',
  },
  {
    name: 'context_length_exceeded',
    says: ['token limit reached'],
    source: 'https://openrouter.ai/docs/api-reference/errors',
  },

  {
    name: 'insufficient_quota',
    says: ['your credit balance is too low'],
    source: 'anthropics/claude-code#66314',
  },
  { name: 'insufficient_quota', says: ['insufficient balance'], source: 'MiniMax-AI/MiniMax-M2#62' },
  {
    name: 'invalid_api_key',
    says: ['api key not valid. please pass a valid api key'],
    source: 'continuedev/continue#10748 (Google)',
  },
  {
    name: 'invalid_api_key',
    says: ['incorrect api key provided'],
    source: 'continuedev/continue#10778 (xAI, with status 400)',
  },

  { name: 'no_endpoints', says: ['no endpoints found'], source: 'https://openrouter.ai/docs/api-reference/errors' },
  {
    name: 'model_not_found',
    says: ['is not a valid model id'],
    source: 'https://openrouter.ai/docs/api-reference/errors',
  },
  {
    name: 'model_not_found',
    says: ['not found, try pulling it first'],
    source: 'netease-youdao/QAnything#555 (Ollama)',
  },
  {
    name: 'model_not_found',
    says: ['has been decommissioned and is no longer supported'],
    source: 'valentinfrlch/ha-llmvision#324 (Groq)',
  },
  {
    name: 'model_deprecated',
    says: ['has been deprecated'],
    source: 'https://openrouter.ai/docs/api-reference/errors',
  },

  {
    name: 'content_policy_violation',
    says: ['content exists risk'],
    source: '666ghj/BettaFish#108 (DeepSeek)',
  },
  {
    name: 'content_policy_violation',
    says: ['content management policy'],
    source: 'compl-ai/compl-ai#20 (Azure)',
  },
  {
    name: 'content_policy_violation',
    says: ['output blocked by content filtering policy'],
    source: 'anthropics/claude-code#58367',
  },
  {
    name: 'content_policy_violation',
    says: ['may contain inappropriate content'],
    source: 'QwenLM/qwen-code#3145',
  },
  { name: 'moderation', says: ['input was flagged'], source: 'https://openrouter.ai/docs/api-reference/errors' },
  { name: 'moderation', says: ['requires moderation'], source: 'https://openrouter.ai/docs/api-reference/errors' },
];

/**
 * What these say holds for the account or the model at the upstream that was asked. A provider behind it that says so
 * speaks of an account that is not the creator's.
 */
export const namesOfAccount: ReadonlySet<string> = new Set([
  'insufficient_quota',
  'invalid_api_key',
  'model_not_found',
  'model_deprecated',
]);

/** Machine-readable names of single upstreams, and what they are called elsewhere. */
export const aliases: ReadonlyMap<string, { name: string; source: string }> = new Map([
  ['exceed_context_size_error', { name: 'context_length_exceeded', source: 'ggml-org/llama.cpp#15780' }],
  ['model_decommissioned', { name: 'model_deprecated', source: 'valentinfrlch/ha-llmvision#324 (Groq)' }],
  ['insufficient_balance_error', { name: 'insufficient_quota', source: 'modelscope/modelscope#1691 (MiniMax)' }],
  ['content_filter', { name: 'content_policy_violation', source: 'compl-ai/compl-ai#20 (Azure)' }],
  ['data_inspection_failed', { name: 'content_policy_violation', source: 'QwenLM/qwen-code#3145' }],
]);

/**
 * Names for which execution has a rule, the error types of OpenRouter among them. Every other one says no more than the
 * status does, and the words of the message more than that.
 */
export const tellingNames: ReadonlySet<string> = new Set([
  ...knownErrors.map(({ name }) => name),
  'refusal',
  'string_too_long',
  'token_limit_exceeded',
  'payload_too_large',
  'free_variant_ended',
  'model_unavailable_upstream',
  'unsupported_parameter',
  'unsupported_value',
  'in_flight_budget_exhausted',
  'weight_exceeds_budget',
]);

const MAX_SEARCHED = 4_000;

/**
 * Whether the pieces stand in the text in their order. Words that the request itself holds prove nothing, because an
 * upstream may quote it: otherwise a buyer could write them into an input and have a resource paused.
 */
export function says(text: string, pieces: readonly string[], request: readonly string[]): boolean {
  return (
    standIn(text.slice(0, MAX_SEARCHED).toLowerCase(), pieces) &&
    !request.some((own) => standIn(own.toLowerCase(), pieces))
  );
}

/** Plain searching is linear in the text, whatever an upstream sends. */
function standIn(text: string, pieces: readonly string[]): boolean {
  let from = 0;
  for (const piece of pieces) {
    const at = text.indexOf(piece, from);
    if (at < 0) {
      return false;
    }
    from = at + piece.length;
  }
  return true;
}
