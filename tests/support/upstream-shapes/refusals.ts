import { listed, refusal, type UpstreamShape } from './shape.ts';

const badMaxTokens = { problem: 'upstream_failed', cause: 'max_tokens_too_high' } as const;
const refusedContent = { problem: 'content_refused', cause: 'content_refused' } as const;
const noCredits = { problem: 'unavailable', cause: 'out_of_credits', pauses: true } as const;
const badKey = { problem: 'unavailable', cause: 'key_rejected', pauses: true } as const;
const noModel = { problem: 'unavailable', cause: 'model_gone', pauses: true } as const;

/** Requests that upstreams refuse, in their own words. */
export const refusals: readonly UpstreamShape[] = [
  {
    name: 'OpenAI: max_tokens over what the model writes',
    source: 'diffbot/code-gpt-docs#284',
    replies: [refusal('max_tokens is too large: 6000. This model supports at most 4096 completion tokens.')],
    told: badMaxTokens,
  },
  {
    name: 'DeepSeek: max_tokens out of its range',
    source: 'deepseek-ai/DeepSeek-V3#69',
    replies: [
      refusal('Invalid max_tokens value, the valid range of max_tokens is [1, 8192]', {
        code: 'invalid_request_error',
      }),
    ],
    told: badMaxTokens,
  },
  {
    name: 'Qwen: max_tokens out of its range',
    source: 'open-webui/open-webui#10507',
    replies: [refusal('<400> InternalError.Algo.InvalidParameter: Range of max_tokens should be [1, 8192]')],
    told: badMaxTokens,
  },

  {
    name: 'DeepSeek: content at risk',
    source: '666ghj/BettaFish#108',
    replies: [refusal('Content Exists Risk', { code: 'invalid_request_error' })],
    told: refusedContent,
  },
  {
    name: 'Azure: content filter',
    source: 'compl-ai/compl-ai#20',
    replies: [
      refusal("The response was filtered due to the prompt triggering Azure OpenAI's content management policy.", {
        type: null,
        param: 'prompt',
        code: 'content_filter',
      }),
    ],
    told: refusedContent,
  },
  {
    name: 'Anthropic: output blocked',
    source: 'anthropics/claude-code#58367',
    replies: [refusal('Output blocked by content filtering policy')],
    told: refusedContent,
  },
  {
    name: 'Qwen: data inspection',
    source: 'QwenLM/qwen-code#3145',
    replies: [
      refusal('<400> InternalError.Algo.DataInspectionFailed: Input text data may contain inappropriate content.'),
    ],
    told: refusedContent,
  },

  {
    name: 'OpenAI: no quota left, with the status of a rate limit',
    source: 'langchain-ai/langchainjs#1929',
    replies: [
      refusal('You exceeded your current quota.', { type: 'insufficient_quota', code: 'insufficient_quota' }, 429),
    ],
    told: noCredits,
    requests: 1,
  },
  {
    name: 'Anthropic: no credits, with the status of a bad request',
    source: 'anthropics/claude-code#66314',
    replies: [refusal('Your credit balance is too low to access the Anthropic API.')],
    told: noCredits,
  },
  {
    name: 'MiniMax: no balance, with the status of a failure',
    source: 'MiniMax-AI/MiniMax-M2#62',
    replies: [
      { status: 500, json: { type: 'error', error: { type: 'api_error', message: 'insufficient balance (1008)' } } },
    ],
    told: noCredits,
  },
  {
    name: 'Google: key refused, with the status of a bad request',
    source: 'continuedev/continue#10748',
    replies: [listed(400, 'API key not valid. Please pass a valid API key.')],
    told: badKey,
  },
  {
    name: 'xAI: key refused, with the status of a bad request',
    source: 'continuedev/continue#10778',
    replies: [{ status: 400, json: { error: 'Incorrect API key provided: na***ys.' } }],
    told: badKey,
  },
  {
    name: 'Google: rate limit with its delay among the details',
    source: 'google-gemini/gemini-cli#14831',
    replies: [
      listed(429, 'Resource exhausted. Please try again later.', {
        status: 'RESOURCE_EXHAUSTED',
        details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '33.4s' }],
      }),
    ],
    told: { problem: 'unavailable', cause: 'rate_limited', retryAfterSeconds: 34 },
  },
  {
    name: 'Mistral: rate limit under a vague type',
    source: 'raycast/extensions#31107',
    replies: [
      {
        status: 429,
        headers: { 'retry-after': '60' },
        json: { object: 'error', message: 'Rate limit exceeded', type: 'rate_limited', param: null, code: '1300' },
      },
    ],
    told: { problem: 'unavailable', cause: 'rate_limited', retryAfterSeconds: 60 },
  },

  {
    name: 'Ollama: model not there',
    source: 'netease-youdao/QAnything#555',
    replies: [refusal('model "m" not found, try pulling it first', { type: 'api_error' }, 404)],
    told: noModel,
  },
  {
    name: 'Groq: model withdrawn, with the status of a bad request',
    source: 'valentinfrlch/ha-llmvision#324',
    replies: [
      refusal('The model `m` has been decommissioned and is no longer supported.', { code: 'model_decommissioned' }),
    ],
    told: noModel,
  },
  {
    name: 'OpenRouter: a provider behind it has no balance, which is not the account of the creator',
    source: 'MiniMax-AI/MiniMax-M2#62',
    replies: [
      {
        status: 502,
        json: {
          error: {
            code: 502,
            message: 'Provider returned error',
            metadata: { raw: '{"error":{"message":"insufficient balance (1008)"}}', provider_name: 'Minimax' },
          },
        },
      },
    ],
    told: { problem: 'upstream_failed', cause: 'provider_failed' },
  },
  {
    name: 'a vague 404',
    source: 'https://platform.openai.com/docs/guides/error-codes',
    replies: [{ status: 404, json: { detail: 'Not Found' } }],
    told: { problem: 'upstream_failed', cause: 'no_endpoint' },
  },
  {
    name: 'a refusal that nobody has reported yet',
    source: 'https://platform.openai.com/docs/guides/error-codes',
    replies: [refusal('Whatever this may mean.')],
    told: { problem: 'upstream_failed', cause: 'request_refused' },
  },
  {
    name: 'a refusal that quotes an input which says that the credits are gone',
    source: 'https://fastapi.tiangolo.com/tutorial/handling-errors/ (validation errors quote the input)',
    phrase: 'Your credit balance is too low',
    replies: [refusal('Cannot translate "Your credit balance is too low".')],
    told: { problem: 'upstream_failed', cause: 'request_refused' },
  },
];
