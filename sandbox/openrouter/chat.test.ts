import { PNG } from 'pngjs';
import { expect, test } from 'vitest';
import { pictureOf, readAnswer, readStream } from '../../tests/support/read-simulator-answer.ts';
import { useSimulator } from '../../tests/support/use-simulator.ts';

const MODEL = 'openai/gpt-4.1-mini';
const simulator = useSimulator();

function post(body: Record<string, unknown>): Promise<Response> {
  return fetch(`${simulator.url}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${simulator.keys.healthy}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: MODEL, messages: [{ role: 'user', content: 'Tell me about lighthouses' }], ...body }),
  });
}

test('a JSON answer has the keys of the wire in their order and is marked as simulated', async () => {
  const response = await post({});
  const body = await readAnswer(response);
  expect(response.headers.get('x-farebox-simulated')).toBe('true');
  expect(response.headers.get('x-generation-id')).toBe(body.id);
  expect(Object.keys(body)).toStrictEqual([
    'id',
    'object',
    'created',
    'model',
    'provider',
    'service_tier',
    'system_fingerprint',
    'choices',
    'usage',
  ]);
  expect(Object.keys(body.choices[0] ?? {})).toStrictEqual([
    'index',
    'logprobs',
    'finish_reason',
    'native_finish_reason',
    'message',
  ]);
  expect(Object.keys(body.choices[0]?.message ?? {})).toStrictEqual(['role', 'content', 'refusal', 'reasoning']);
  expect(Object.keys(body.usage)).toStrictEqual([
    'prompt_tokens',
    'completion_tokens',
    'total_tokens',
    'cost',
    'is_byok',
    'prompt_tokens_details',
    'cost_details',
    'completion_tokens_details',
  ]);
  expect(Object.keys(body.usage.cost_details)).toStrictEqual([
    'upstream_inference_cost',
    'upstream_inference_prompt_cost',
    'upstream_inference_completions_cost',
  ]);
  expect(body.id).toMatch(/^gen-\d{10}-[0-9A-Za-z]{20}$/);
  expect(body.model).toMatch(/^openai\/gpt-4\.1-mini-\d{8}$/);
  expect(body.provider).toBe('Simulated');
  expect(body.choices[0]?.message.content).toMatch(/^\[simulated\] .*lighthouses/s);
});

test('a stream has comments, repeated roles, two finish chunks, the second with usage, and [DONE]', async () => {
  const response = await post({ stream: true });
  const { comments, events, isDone } = await readStream(response);
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  expect(response.headers.get('cache-control')).toBe('no-cache');
  expect(comments).toBe(2);
  expect(isDone).toBe(true);
  const content = events.slice(0, -2);
  for (const event of content) {
    expect(Object.keys(event)).toStrictEqual(['id', 'object', 'created', 'model', 'provider', 'choices']);
    expect(Object.keys(event.choices[0] ?? {})).toStrictEqual([
      'index',
      'delta',
      'finish_reason',
      'native_finish_reason',
      'logprobs',
    ]);
    expect(Object.keys(event.choices[0]?.delta ?? {})).toStrictEqual(['content', 'role']);
  }
  const [finish, usage] = events.slice(-2);
  expect(finish?.choices[0]?.finish_reason).toBe('stop');
  expect(usage?.choices[0]?.finish_reason).toBe('stop');
  expect(Object.keys(usage ?? {})).toStrictEqual([
    'id',
    'object',
    'created',
    'model',
    'provider',
    'choices',
    'service_tier',
    'usage',
  ]);
});

test('the same request gives the same text, tokens and cost, streamed or not', async () => {
  const [first, second] = [await readAnswer(await post({})), await readAnswer(await post({}))];
  expect(second.choices).toStrictEqual(first.choices);
  expect(second.usage).toStrictEqual(first.usage);
  expect(second.id).not.toBe(first.id);
  const { events } = await readStream(await post({ stream: true }));
  const text = events.map((event) => event.choices[0]?.delta.content).join('');
  expect(text).toBe(first.choices[0]?.message.content);
  expect(events.at(-1)?.usage).toStrictEqual(first.usage);
  const other = await readAnswer(await post({ temperature: 0.3 }));
  expect(other.choices[0]?.message.content).not.toBe(first.choices[0]?.message.content);
});

test('max_tokens cuts the answer and says so; stop ends it quietly', async () => {
  const cut = await readAnswer(await post({ max_tokens: 6 }));
  expect(cut.choices[0]?.finish_reason).toBe('length');
  expect(cut.usage.completion_tokens).toBeLessThanOrEqual(6);
  const stopped = await readAnswer(await post({ stop: ['lighthouses'] }));
  expect(stopped.choices[0]?.finish_reason).toBe('stop');
  expect(stopped.choices[0]?.message.content).not.toContain('lighthouses');
});

test('words with digits, hyphens or capitals only are never echoed', async () => {
  const content = 'CANARY secret-7f3a9 canary_42 tok3n write about whales';
  const body = await readAnswer(await post({ messages: [{ role: 'user', content }] }));
  const text = body.choices[0]?.message.content ?? '';
  expect(text).toContain('whales');
  expect(text).not.toMatch(/canary|7f3a9|tok3n/i);
});

test('image models answer with a real PNG of the asked shape', async () => {
  const request = { model: 'google/gemini-2.5-flash-image', modalities: ['image', 'text'] };
  const body = await readAnswer(await post({ ...request, image_config: { aspect_ratio: '16:9' } }));
  const url = body.choices[0]?.message.images?.[0]?.image_url.url;
  expect(url).toMatch(/^data:image\/png;base64,/);
  const bytes = pictureOf(body);
  const picture = PNG.sync.read(bytes);
  expect([picture.width, picture.height]).toStrictEqual([1344, 768]);
  expect(bytes.toString('latin1')).toContain('Comment\0simulated');
  expect(body.usage.completion_tokens_details.image_tokens).toBe(1_270);
  const { events } = await readStream(await post({ ...request, image_config: { aspect_ratio: '16:9' }, stream: true }));
  const deltas = events.flatMap((event) => event.choices[0]?.delta.images ?? []);
  expect(deltas.map((image) => image.image_url.url)).toStrictEqual([url]);
});

test('modalities that a model does not write answer 404 with the step that failed', async () => {
  const textOnly = await post({ modalities: ['image'] });
  expect(textOnly.status).toBe(404);
  expect((await readAnswer(textOnly)).error.metadata['failed_routing_step']).toBe('Filter by Model Output Modalities');
  const imageOnly = await post({ model: 'black-forest-labs/flux.2-pro', modalities: ['image', 'text'] });
  expect((await readAnswer(imageOnly)).error.message).toBe(
    'No endpoints found that support the requested output modalities: image, text',
  );
});

test('structured outputs satisfy their schema, tools are called when they must be', async () => {
  const schema = {
    type: 'object',
    required: ['title', 'score', 'tags'],
    properties: {
      title: { type: 'string' },
      score: { type: 'integer', minimum: 1, maximum: 5 },
      tags: { type: 'array', items: { enum: ['a', 'b'] } },
    },
  };
  const format = { type: 'json_schema', json_schema: { name: 'x', strict: true, schema } };
  const body = await readAnswer(await post({ response_format: format }));
  const value = JSON.parse(body.choices[0]?.message.content ?? '{}') as { score: number };
  expect(Object.keys(value)).toStrictEqual(['title', 'score', 'tags']);
  expect(value?.score).toBeGreaterThanOrEqual(1);
  const tools = [{ type: 'function', function: { name: 'look_up', parameters: schema } }];
  const called = await readAnswer(await post({ tools, tool_choice: 'required' }));
  expect(called.choices[0]?.finish_reason).toBe('tool_calls');
  expect(called.choices[0]?.message.tool_calls?.[0]?.function.name).toBe('look_up');
});

test('streams can be cut at any byte', async () => {
  const whole = await readStream(await post({ stream: true }));
  simulator.control.setSplitBytes(7);
  const split = await readStream(await post({ stream: true }));
  expect(split.events.length).toBe(whole.events.length);
});
