import { EventSourceParserStream } from 'eventsource-parser/stream';
import { describe, expect, test } from 'vitest';
import { askSimulator, type Question } from '../../tests/support/ask-simulator.ts';
import { parseStream } from '../../tests/support/read-simulator-answer.ts';
import { useSimulator } from '../../tests/support/use-simulator.ts';

const simulator = useSimulator({ generationDelayMs: 0 });

async function stream(body: Record<string, unknown> = {}, question: Question = {}): Promise<string> {
  return (await askSimulator(simulator, { ...body, stream: true }, question)).text();
}

const fault = (name: string): Question => ({ headers: { 'x-sim-fault': name } });

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

/** The same question for each route. */
const lighthouses = { messages: [{ role: 'user', content: 'lighthouses' }], input: 'lighthouses' };

describe('what can be set', () => {
  test('the event with usage may have no choices, as the documentation has it', async () => {
    simulator.control.setUsageChunkChoices('empty');
    expect(parseStream(await stream()).events.at(-1)).toMatchObject({
      choices: [],
      usage: { total_tokens: expect.any(Number) },
    });
  });

  test('comments come before the first token as often as told', async () => {
    simulator.control.setLatency({ firstTokenMs: 60, commentEveryMs: 10 });
    const { comments } = parseStream(await stream());
    simulator.control.setLatency({ firstTokenMs: 0, commentEveryMs: 0 });
    expect(comments).toBeGreaterThan(3);
  });

  test.each([
    ['/chat/completions', ': OPENROUTER PROCESSING\n\n'],
    ['/responses', ': \n\n'],
  ])('comments come between two pieces as often as told: %s', async (path, comment) => {
    simulator.control.setSlowMs(600_000);
    simulator.control.setLatency({ commentEveryMs: 1 });
    const left = new AbortController();
    const response = await fetch(`${simulator.url}${path}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${simulator.keys.healthy}`,
        'content-type': 'application/json',
        ...fault('slow_body').headers,
      },
      body: JSON.stringify({ model: 'openai/gpt-4.1', ...lighthouses, stream: true }),
      signal: left.signal,
    });
    let text = '';
    for await (const piece of (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
      text += piece;
      if (text.endsWith(comment.repeat(5))) {
        break;
      }
    }
    left.abort();
    simulator.control.setLatency({ commentEveryMs: 0 });
    expect(text).toMatch(/"(?:content|delta)":"[^"]/);
  });

  test('a comment stands in the middle too, between two pieces of the text', async () => {
    const kinds = (await stream()).split('\n\n').map((block) => (block.startsWith(':') ? 'comment' : 'event'));
    const middle = kinds.lastIndexOf('comment');
    expect(kinds.indexOf('comment')).toBe(0);
    expect(kinds.slice(1, middle)).toContain('event');
    expect(kinds.slice(middle + 1).filter((kind) => kind === 'event').length).toBeGreaterThan(4);
  });

  test('the first token of one model may come later by chance alone', async () => {
    const model = 'openai/gpt-4.1';
    simulator.control.setModelLatency(model, { jitterMs: 1_000_000, commentEveryMs: 1 });
    const left = new AbortController();
    const response = await askSimulator(simulator, { model, stream: true }, { signal: left.signal });
    let text = '';
    for await (const piece of (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
      text += piece;
      if (text.split(': OPENROUTER PROCESSING').length > 4) {
        break;
      }
    }
    left.abort();
    expect(text).not.toContain('data:');
    expect(await stream()).toContain('data: [DONE]');
  });

  test('one model may be slower than the others', async () => {
    simulator.control.setModelLatency('openai/gpt-4.1', { firstTokenMs: 40, commentEveryMs: 10 });
    const slow = parseStream(await stream({ model: 'openai/gpt-4.1' })).comments;
    expect(slow).toBeGreaterThan(parseStream(await stream()).comments);
  });

  test.each([1, 2, 3, 7])(
    'writes of %i bytes, inside characters of several bytes and inside CRLF, are the same stream',
    async (bytes) => {
      const messages = [{ role: 'user', content: 'about Blütenstaub, Übermut und Größe' }];
      const whole = parseStream(await stream({ messages }));
      simulator.control.setSplitBytes(bytes);
      const response = await askSimulator(simulator, { messages, stream: true }, fault('stream_bom_crlf'));
      const events: string[] = [];
      const parsed = (response.body ?? new ReadableStream())
        .pipeThrough(new TextDecoderStream())
        .pipeThrough(new EventSourceParserStream());
      for await (const { data } of parsed) {
        events.push(data);
      }
      const text = (data: string[]): string =>
        data
          .filter((one) => one !== '[DONE]')
          .map((one) => (JSON.parse(one) as { choices: { delta: { content: string } }[] }).choices[0]?.delta.content)
          .join('');
      expect(text(events)).toMatch(/[äöüß]/i);
      expect(text(events)).toBe(text(whole.events.map((event) => JSON.stringify(event))));
      expect(events.at(-1)).toBe('[DONE]');
    },
  );
});
