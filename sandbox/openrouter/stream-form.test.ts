import { describe, expect, test } from 'vitest';
import { askSimulator } from '../../tests/support/ask-simulator.ts';
import { parseStream } from '../../tests/support/read-simulator-answer.ts';
import { useSimulator } from '../../tests/support/use-simulator.ts';

const simulator = useSimulator({ generationDelayMs: 0 });

async function stream(body: Record<string, unknown> = {}): Promise<string> {
  return (await askSimulator(simulator, { ...body, stream: true })).text();
}

/** Names of members, in their order, with those of the members inside; of lists the first element stands for all. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.length === 0 ? [] : [shapeOf(value[0])];
  }
  if (typeof value !== 'object' || value === null) {
    return value === null ? null : typeof value;
  }
  return Object.entries(value).map(([name, member]) => [name, shapeOf(member)]);
}

describe('the form of the wire, member by member in its order', () => {
  const head = [
    ['id', 'string'],
    ['object', 'string'],
    ['created', 'number'],
    ['model', 'string'],
    ['provider', 'string'],
  ];
  const tokens = [
    ['prompt_tokens', 'number'],
    ['completion_tokens', 'number'],
    ['total_tokens', 'number'],
    ['cost', 'number'],
    ['is_byok', 'boolean'],
    [
      'prompt_tokens_details',
      [
        ['cached_tokens', 'number'],
        ['cache_write_tokens', 'number'],
        ['audio_tokens', 'number'],
        ['video_tokens', 'number'],
      ],
    ],
    [
      'cost_details',
      [
        ['upstream_inference_cost', 'number'],
        ['upstream_inference_prompt_cost', 'number'],
        ['upstream_inference_completions_cost', 'number'],
      ],
    ],
    [
      'completion_tokens_details',
      [
        ['reasoning_tokens', 'number'],
        ['image_tokens', 'number'],
        ['audio_tokens', 'number'],
      ],
    ],
  ];
  const delta = [
    ['content', 'string'],
    ['role', 'string'],
  ];
  const choice = (inside: unknown, reason: unknown) => [
    'choices',
    [
      [
        ['index', 'number'],
        ['delta', inside],
        ['finish_reason', reason],
        ['native_finish_reason', reason],
        ['logprobs', null],
      ],
    ],
  ];

  test('a JSON answer', async () => {
    const answer: unknown = await (await askSimulator(simulator)).json();
    expect(shapeOf(answer)).toEqual([
      ...head,
      ['service_tier', null],
      ['system_fingerprint', null],
      [
        'choices',
        [
          [
            ['index', 'number'],
            ['logprobs', null],
            ['finish_reason', 'string'],
            ['native_finish_reason', 'string'],
            [
              'message',
              [
                ['role', 'string'],
                ['content', 'string'],
                ['refusal', null],
                ['reasoning', null],
              ],
            ],
          ],
        ],
      ],
      ['usage', tokens],
    ]);
  });

  test('each event of a stream', async () => {
    const { events } = parseStream(await stream());
    for (const event of events.slice(0, -2)) {
      expect(shapeOf(event)).toEqual([...head, choice(delta, null)]);
    }
    expect(shapeOf(events.at(-2))).toEqual([...head, choice(delta, 'string')]);
    expect(shapeOf(events.at(-1))).toEqual([
      ...head,
      choice(delta, 'string'),
      ['service_tier', null],
      ['usage', tokens],
    ]);
  });

  test('events of reasoning, of a tool call and of a picture', async () => {
    const text = 'string';
    const deltaOf = async (body: Record<string, unknown>, name: string, at = 0): Promise<unknown> => {
      const { events } = parseStream(await stream(body));
      const found = events.filter((event) => name in (event.choices[0]?.delta ?? {}))[at];
      return shapeOf(found?.choices[0]?.delta);
    };
    expect(await deltaOf({ model: 'openai/gpt-5', reasoning: { effort: 'high' } }, 'reasoning')).toEqual([
      ...delta,
      ['reasoning', text],
      [
        'reasoning_details',
        [
          [
            ['type', text],
            ['text', text],
            ['format', text],
            ['index', 'number'],
          ],
        ],
      ],
    ]);
    const tools = [{ type: 'function', function: { name: 'look_up', parameters: { type: 'object' } } }];
    const call = { tools, tool_choice: 'required' };
    expect(await deltaOf(call, 'tool_calls')).toEqual([
      ...delta,
      [
        'tool_calls',
        [
          [
            ['index', 'number'],
            ['id', text],
            ['type', text],
            [
              'function',
              [
                ['name', text],
                ['arguments', text],
              ],
            ],
          ],
        ],
      ],
    ]);
    expect(await deltaOf(call, 'tool_calls', 1)).toEqual([
      ...delta,
      [
        'tool_calls',
        [
          [
            ['index', 'number'],
            ['type', text],
            ['function', [['arguments', text]]],
          ],
        ],
      ],
    ]);
    const picture = { model: 'google/gemini-2.5-flash-image', modalities: ['image', 'text'] };
    expect(await deltaOf(picture, 'images')).toEqual([
      ...delta,
      [
        'images',
        [
          [
            ['type', text],
            ['image_url', [['url', text]]],
            ['index', 'number'],
          ],
        ],
      ],
    ]);
  });
});
