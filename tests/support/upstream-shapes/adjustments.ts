import { refusal, stream, type UpstreamShape } from './shape.ts';

const good = { events: stream('Fine.') };
const fine = { response: 'Fine.', finishReason: 'stop' } as const;
const penalties = { frequencyPenalty: 0.5, presencePenalty: 0.5 };

/** Requests that succeed only in another form. */
export const adjustments: readonly UpstreamShape[] = [
  {
    name: 'OpenAI: max_tokens has another name',
    source: 'ITSpecialist111/ai_automation_suggester#38',
    replies: [
      refusal(
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        {
          param: 'max_tokens',
          code: 'unsupported_parameter',
        },
      ),
      good,
    ],
    told: fine,
    sends: { max_completion_tokens: 64, max_tokens: null },
    requests: 2,
  },
  {
    name: 'OpenAI: max_tokens has another name and temperature is fixed',
    source: 'johny-b/llmcomp#69',
    replies: [
      refusal(
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
      ),
      refusal(
        "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) is supported.",
        {
          param: 'temperature',
          code: 'unsupported_value',
        },
      ),
      good,
    ],
    config: { temperature: 0 },
    told: fine,
    sends: { max_completion_tokens: 64, temperature: null },
    requests: 3,
  },
  {
    name: 'Anthropic: temperature or top_p',
    source: 'Vali-98/ChatterUI#564',
    replies: [refusal('`temperature` and `top_p` cannot both be specified for this model. Please use only one.'), good],
    config: { temperature: 0.2, topP: 0.9 },
    told: fine,
    sends: { temperature: 0.2, top_p: null },
    requests: 2,
  },
  {
    name: 'xAI: no penalties',
    source: 'lobehub/lobehub#13332',
    replies: [{ status: 400, json: { error: 'Model grok-4 does not support parameter presencePenalty.' } }, good],
    config: penalties,
    told: fine,
    sends: { presence_penalty: null, frequency_penalty: null },
    requests: 2,
  },
  {
    name: 'Mistral: no stream_options',
    source: 'dnakov/anon-kode#53',
    replies: [
      {
        status: 422,
        json: {
          object: 'error',
          message: {
            detail: [
              {
                type: 'extra_forbidden',
                loc: ['body', 'stream_options', 'include_usage'],
                msg: 'Extra inputs are not permitted',
              },
            ],
          },
          type: 'invalid_request_error',
        },
      },
      good,
    ],
    told: fine,
    sends: { stream_options: null, stream: true },
    requests: 2,
  },
  {
    name: 'Fireworks: no stream_options',
    source: 'FlowiseAI/Flowise#2866',
    replies: [refusal("Extra inputs are not permitted, field: 'stream_options'"), good],
    told: fine,
    sends: { stream_options: null },
    requests: 2,
  },
  {
    name: 'Google: a model without a system turn',
    source: 'microsoft/vscode#258088',
    replies: [
      {
        status: 400,
        json: [{ error: { code: 400, message: 'Developer instruction is not enabled for models/gemma-3-27b-it' } }],
      },
      good,
    ],
    config: { allowsUserMessage: true },
    told: fine,
    sends: { messages: [{ role: 'user', content: 'Translate Hello.\n\nPlease.' }] },
    requests: 2,
  },
  {
    name: 'a setting that is refused in either form is asked for once',
    source: 'GaiZhenbiao/ChuanhuChatGPT#1160',
    replies: [
      refusal("Unsupported value: 'temperature' does not support 0 with this model.", { code: 'unsupported_value' }),
    ],
    config: { temperature: 0 },
    told: { problem: 'upstream_failed', cause: 'setting_refused' },
    requests: 2,
  },
];
