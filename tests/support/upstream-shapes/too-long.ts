import { listed, refusal, type UpstreamShape } from './shape.ts';

const tooLong = { problem: 'unprocessable', cause: 'input_too_long' } as const;

/** Inputs that are longer than a model can read, in the words of each upstream. */
export const tooLongs: readonly UpstreamShape[] = [
  {
    name: 'OpenAI: input too long, by its code beside a vague type',
    source: 'chathub-dev/chathub#126',
    replies: [refusal('Please shorten your messages.', { param: 'messages', code: 'context_length_exceeded' })],
    told: tooLong,
  },
  {
    name: 'OpenAI: input too long, by its words alone',
    source: 'smol-ai/developer#7',
    replies: [refusal("This model's maximum context length is 4097 tokens. However, your messages resulted in 7575.")],
    told: tooLong,
  },
  {
    name: 'Anthropic: prompt too long',
    source: 'whoz-oss/coday#26',
    replies: [
      {
        status: 400,
        json: {
          type: 'error',
          error: { type: 'invalid_request_error', message: 'prompt is too long: 207791 tokens > 200000 maximum' },
        },
      },
    ],
    told: tooLong,
  },
  {
    name: 'Anthropic: input and max_tokens over the limit together',
    source: 'docker/docker-agent#569',
    replies: [refusal('input length and `max_tokens` exceed context limit: 178959 + 64000 > 200000')],
    told: tooLong,
  },
  {
    name: 'Google: too many input tokens, in a list',
    source: 'google-gemini/gemini-cli#6678',
    replies: [listed(400, 'The input token count (1200293) exceeds the maximum number of tokens allowed (1048576).')],
    told: tooLong,
  },
  {
    name: 'Groq: shorten the messages',
    source: 'thepersonalaicompany/amurex-backend#51',
    replies: [
      refusal('Please reduce the length of the messages or completion.', {
        param: 'messages',
        code: 'context_length_exceeded',
      }),
    ],
    told: tooLong,
  },
  {
    name: 'Groq: one request over the tokens of a minute',
    source: 'ITSpecialist111/ai_automation_suggester#61',
    replies: [
      {
        status: 413,
        json: {
          error: {
            message: 'Request too large for model `m` on tokens per minute (TPM): Limit 6000, Requested 14810',
            type: 'tokens',
            code: 'rate_limit_exceeded',
          },
        },
      },
    ],
    told: { problem: 'upstream_failed', cause: 'token_rate_too_low' },
  },
  {
    name: 'vLLM: context length, the error being the body',
    source: 'vllm-project/vllm#20409',
    replies: [
      {
        status: 400,
        json: {
          object: 'error',
          message: "This model's maximum context length is 16384 tokens. However, you requested 19591 tokens",
          type: 'BadRequestError',
          param: null,
          code: 400,
        },
      },
    ],
    told: tooLong,
  },
  {
    name: 'llama.cpp: available context size, by its type',
    source: 'oobabooga/textgen#7257',
    replies: [
      {
        status: 400,
        json: {
          error: {
            code: 400,
            message: 'the request exceeds the available context size. try increasing the context size',
            type: 'exceed_context_size_error',
            n_prompt_tokens: 14_429,
            n_ctx: 8_192,
          },
        },
      },
    ],
    told: tooLong,
  },
  {
    name: 'llama.cpp: the same with status 200',
    source: 'oobabooga/textgen#7257',
    replies: [
      { json: { error: { code: 400, message: 'the request exceeds the available context size.', type: 'x_error' } } },
    ],
    told: tooLong,
  },
  {
    name: 'LM Studio: context overflows in the stream',
    source: 'lmstudio-ai/lmstudio-bug-tracker#546',
    replies: [
      {
        events: [
          'event: error\ndata: {"error":{"message":"The model is loaded with context length of only 32768 tokens"}}\n\n',
        ],
      },
    ],
    told: tooLong,
  },
  {
    name: 'xAI: maximum prompt length, the error being a text',
    source: 'cline/cline#3120',
    replies: [
      {
        status: 400,
        json: {
          code: 'Client specified an invalid argument',
          error: "This model's maximum prompt length is 131072 but the request contains 136973 tokens.",
        },
      },
    ],
    told: tooLong,
  },
  {
    name: 'Qwen: range of the input',
    source: 'QwenLM/qwen-code#98',
    replies: [refusal('<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 204800]')],
    told: tooLong,
  },
  {
    name: 'MiniMax: context window, with status 200 and no answer',
    source: 'MiniMax-AI/MiniMax-M2#119',
    replies: [
      {
        json: {
          choices: null,
          base_resp: { status_code: 2013, status_msg: 'invalid params, context window exceeds limit' },
        },
      },
    ],
    told: tooLong,
  },
  {
    name: 'OpenRouter: the words of the provider in metadata.raw',
    source: 'cline/cline#13194',
    replies: [
      {
        status: 400,
        json: {
          error: {
            message: 'Provider returned error',
            code: 400,
            metadata: {
              raw: '{"error":{"message":"This model\'s maximum context length is 262144 tokens."}}',
              provider_name: 'Nvidia',
            },
          },
        },
      },
    ],
    told: tooLong,
  },
  {
    name: 'Zhipu: prompt over the length',
    source: 'tashfeenahmed/freellmapi#873',
    replies: [{ status: 400, json: { error: { code: '1261', message: 'Prompt exceeds max length' } } }],
    told: tooLong,
  },
];
