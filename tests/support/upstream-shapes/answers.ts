import { chunk, completion, stream, type UpstreamShape } from './shape.ts';

const DONE = 'data: [DONE]\n\n';
const starved = { problem: 'upstream_failed', cause: 'reasoning_starved' } as const;
const truncated = { problem: 'upstream_failed', cause: 'truncated_answer' } as const;
/** One event whose JSON goes over several lines, as the standard allows. */
const overLines = (value: unknown, end = '\n') =>
  `${JSON.stringify(value, null, 2).replaceAll(/^/gm, 'data: ').replaceAll('\n', end)}${end}${end}`;
const inOnePiece = (text: string) => [{ json: completion({ content: text }) }];

/** Answers, whole and broken. */
export const answers: readonly UpstreamShape[] = [
  {
    name: 'a stream that ends after its finish reason, without [DONE] or usage',
    source: 'https://platform.openai.com/docs/api-reference/chat-streaming',
    replies: [{ events: [chunk({ content: 'All of it.' }), chunk({}, 'stop')] }],
    told: { response: 'All of it.', finishReason: 'stop' },
  },
  {
    name: 'a stream that ends without a finish reason',
    source: 'ranxianglei/billion-context-omp#105',
    replies: [{ events: [chunk({ content: 'Half of' })] }],
    told: truncated,
  },
  {
    name: 'a stream whose end mark comes without a finish reason',
    source: 'waybarrios/vllm-mlx#628',
    replies: [{ events: [chunk({ content: 'Who knows' }), DONE] }],
    told: truncated,
  },
  {
    name: 'a connection that breaks after the finish reason',
    source: 'ranxianglei/billion-context-pi#92',
    replies: [{ events: [chunk({ content: 'Half of' }), chunk({}, 'stop')], isCut: true }],
    told: { problem: 'upstream_failed', cause: 'connection_failed' },
  },
  {
    name: 'Google: the finish reason under another name',
    source: 'jakobdylanc/llmcord#84',
    replies: [
      { events: [{ choices: [{ index: 0, delta: { content: 'Hi.' }, finish_reason: null, finishReason: 'STOP' }] }] },
    ],
    told: { response: 'Hi.', finishReason: 'stop' },
  },
  {
    name: 'an answer that the token limit has cut says so',
    source: 'https://platform.openai.com/docs/api-reference/chat-streaming',
    replies: [{ events: [chunk({ content: 'Half of' }), chunk({}, 'length'), DONE] }],
    told: { response: 'Half of', finishReason: 'length' },
  },
  {
    name: 'Mistral: an answer cut at the limit of the model',
    source: 'https://docs.mistral.ai/api/',
    replies: [{ json: completion({ content: 'Half of' }, 'model_length') }],
    told: { response: 'Half of', finishReason: 'length' },
  },
  {
    name: 'an answer that the token limit has cut is not sold where its creator does not want it',
    source: 'https://platform.openai.com/docs/api-reference/chat-streaming',
    replies: [{ events: [chunk({ content: 'Half of' }), chunk({}, 'length'), DONE] }],
    config: { sellsTruncated: false },
    told: { problem: 'upstream_failed', cause: 'answer_cut_short' },
  },
  {
    name: 'a whole answer is sold where cut ones are not',
    source: 'https://platform.openai.com/docs/api-reference/chat-streaming',
    replies: [{ events: stream('All.') }],
    config: { sellsTruncated: false },
    told: { response: 'All.', finishReason: 'stop' },
  },
  {
    name: 'JSON although a stream was asked for',
    source: 'tinyhumansai/tinyagents#56',
    replies: inOnePiece('In one piece.'),
    told: { response: 'In one piece.', finishReason: 'stop' },
  },
  {
    name: 'JSON that is called a stream',
    source: 'decolua/9router#3492',
    replies: [
      {
        headers: { 'content-type': 'text/event-stream' },
        text: JSON.stringify(completion({ content: 'Mislabelled.' })),
      },
    ],
    told: { response: 'Mislabelled.', finishReason: 'stop' },
  },
  ...[
    ['lines', '\n'],
    ['lines that end in CRLF', '\r\n'],
  ].map(([what, end]): UpstreamShape => ({
    name: `events whose data goes over several ${what}`,
    source: 'SamSaffron/term-llm#454',
    replies: [
      { events: [...[chunk({ content: 'One of many.' }), chunk({}, 'stop')].map((one) => overLines(one, end)), DONE] },
    ],
    told: { response: 'One of many.', finishReason: 'stop' },
  })),
  {
    name: 'an error in the stream whose data goes over several lines',
    source: 'SamSaffron/term-llm#454',
    replies: [{ events: [overLines({ error: { message: "This model's maximum context length is 16384 tokens." } })] }],
    told: { problem: 'unprocessable', cause: 'input_too_long' },
  },
  ...['application/json', 'text/event-stream'].map((type): UpstreamShape => ({
    name: `${type}: JSON behind blanks that keep the connection`,
    source: 'agent37-platform/gateway#6',
    replies: [
      {
        headers: { 'content-type': type },
        events: [' ', '\n', ' \r\n', '\n\n', '\t', JSON.stringify(completion({ content: 'After a while.' }))],
      },
    ],
    told: { response: 'After a while.', finishReason: 'stop' },
  })),
  {
    name: 'JSON that is called plain text',
    source: 'tinyhumansai/tinyagents#56',
    replies: [{ headers: { 'content-type': 'text/plain' }, text: JSON.stringify(completion({ content: 'Plain.' })) }],
    told: { response: 'Plain.', finishReason: 'stop' },
  },
  {
    name: 'a stream that is called plain text',
    source: 'tinyhumansai/tinyagents#56',
    replies: [{ headers: { 'content-type': 'text/plain; charset=utf-8' }, events: stream('Streamed.') }],
    told: { response: 'Streamed.', finishReason: 'stop' },
  },
  {
    name: 'plain text that is no answer',
    source: 'https://developers.cloudflare.com/support/troubleshooting/http-status-codes/',
    replies: [{ headers: { 'content-type': 'text/plain' }, text: 'upstream connect error' }],
    told: truncated,
  },
  {
    name: 'vLLM: an error in the stream that is its whole event',
    source: 'vllm-project/vllm#20409',
    replies: [
      {
        events: [
          { object: 'error', message: "This model's maximum context length is 16384 tokens.", type: 'BadRequestError' },
          DONE,
        ],
      },
    ],
    told: { problem: 'unprocessable', cause: 'input_too_long' },
  },

  {
    name: 'DeepSeek: reasoning in a field of its own',
    source: 'https://api-docs.deepseek.com/guides/reasoning_model',
    replies: [{ events: [chunk({ reasoning_content: 'Hm.' }), ...stream('So.')] }],
    told: { response: 'So.', finishReason: 'stop' },
  },
  ...['reasoning', 'reasoning_content', 'thinking'].map((field): UpstreamShape => ({
    name: `only ${field}, until the token limit`,
    source: 'vllm-project/vllm#41902',
    replies: [{ events: [chunk({ content: '', [field]: 'Let me see.' }), chunk({}, 'length'), DONE] }],
    told: starved,
  })),
  {
    name: 'only reasoning, and then stop',
    source: 'ggml-org/llama.cpp#15789',
    replies: [{ json: completion({ content: null, reasoning_content: 'Let me see.' }) }],
    told: starved,
  },
  {
    name: 'Mistral: thinking as a part of the content',
    source: 'langchain4j/langchain4j#4474',
    replies: [
      {
        json: completion({
          content: [
            { type: 'thinking', thinking: [{ type: 'text', text: 'Let me reason.' }] },
            { type: 'text', text: 'The answer is 42.' },
          ],
        }),
      },
    ],
    told: { response: 'The answer is 42.' },
  },
  {
    name: 'a reasoning part with a text of its own',
    source: 'vercel/ai#8072',
    replies: [
      {
        json: completion({
          content: [
            { type: 'reasoning', text: 'Hm.' },
            { type: 'text', text: 'Yes.' },
          ],
        }),
      },
    ],
    told: { response: 'Yes.' },
  },
  ...[
    ['<think>\nHm, <b>.\n</think>\n\nYes.', 'vercel/ai#6715'],
    ['<think></think>Yes.', 'ollama/ollama#8837'],
    ['<thinking>Hm.</thinking>\nYes.', 'vercel/ai#7078'],
    ['<thought>Hm.</thought>Yes.', 'GoogleCloudPlatform/generative-ai#2090'],
    ['[THINK]Hm.[/THINK]Yes.', 'vllm-project/vllm#21333'],
    ['◁think▷Hm.◁/think▷Yes.', 'Blaizzy/mlx-vlm#299'],
    ['<seed:think>\nHm.\n</seed:think>Yes.', 'vllm-project/vllm#23241'],
    [
      '<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Yes.<|return|>',
      'kekzl/imp#768',
    ],
    ['<|channel|>analysis<|message|>Hm.<|end|>Yes.', 'ggml-org/llama.cpp#15181'],
    ['So the user asks.\n</think>\n\nYes.', 'deepseek-ai/DeepSeek-R1#526'],
  ].map(([text = '', source = '']): UpstreamShape => ({
    name: `thinking in the text is not sold: ${text.slice(0, 60).replaceAll('\n', ' ')}`,
    source,
    replies: inOnePiece(text),
    told: { response: 'Yes.' },
  })),
  ...['<think>Hm.', '<think>Hm.</think>\n', '<|channel|>analysis<|message|>Hm.'].map((text): UpstreamShape => ({
    name: `an answer that is only thinking is none: ${text.trim()}`,
    source: 'ggml-org/llama.cpp#15789',
    replies: inOnePiece(text),
    told: starved,
  })),
  ...[
    'Models mark it with <think> and </think>.',
    'A listing:\n```\n</think>\n```\nends it.',
    'First\n</think>\nand second\n</think>\nmark.',
    'Close it with </think> on the same line.',
    'Start with <think>\nand end with\n</think>\nplease.',
    '```xml\n<think>x</think>\n```',
  ].map((text): UpstreamShape => ({
    name: `text about thinking is left as it is: ${text.slice(0, 60).replaceAll('\n', ' ')}`,
    source: 'https://github.com/open-webui/open-webui/issues/9808',
    replies: inOnePiece(text),
    told: { response: text },
  })),
];
