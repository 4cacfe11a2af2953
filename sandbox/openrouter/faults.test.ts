import { PNG } from 'pngjs';
import { describe, expect, test } from 'vitest';
import { faults } from './faults.ts';
import { parseStream, pictureOf, readAnswer } from '../../tests/support/read-simulator-answer.ts';
import type { Answer } from '../../tests/support/read-simulator-answer.ts';
import { useSimulator } from '../../tests/support/use-simulator.ts';

const MODEL = 'openai/gpt-4.1-mini';
const simulator = useSimulator({ generationDelayMs: 0 });

interface Asked {
  model?: string;
  stream?: boolean;
  fault?: string;
  signal?: AbortSignal;
}

function post({ model = MODEL, stream = false, fault, signal }: Asked): Promise<Response> {
  return fetch(`${simulator.url}/chat/completions`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${simulator.keys.healthy}`,
      'content-type': 'application/json',
      ...(fault ? { 'x-sim-fault': fault } : {}),
    },
    body: JSON.stringify({ model, stream, messages: [{ role: 'user', content: 'Tell me about lighthouses' }] }),
    ...(signal ? { signal } : {}),
  });
}

const spent = (): string => simulator.control.getBalance(simulator.keys.healthy).keyUsageUsd;

const refusals = Object.entries(faults).flatMap(([name, { refusal }]) => (refusal ? [{ name, refusal }] : []));

test.each(refusals)('$name answers its status and body, by slug, header and control', async ({ name, refusal }) => {
  simulator.control.fail(name);
  for (const asked of [{ model: `sim/${name}` }, { fault: name }, {}]) {
    const response = await post(asked);
    expect(response.status).toBe(refusal.status);
    expect(response.status).toBe(Number(name.slice(0, 3)));
    expect(await response.json()).toStrictEqual({ error: refusal.error });
    expect(response.headers.get('retry-after')).toBe(refusal.headers?.['retry-after'] ?? null);
    expect(response.headers.get('x-farebox-simulated')).toBe('true');
  }
  expect((await post({})).status).toBe(200);
});

describe('planned faults', () => {
  test('planned faults strike as often as told, where their scope says', async () => {
    simulator.control.fail('503', { times: 2, model: MODEL });
    expect((await post({ model: 'openai/gpt-4.1' })).status).toBe(200);
    expect([(await post({})).status, (await post({})).status, (await post({})).status]).toStrictEqual([503, 503, 200]);
    simulator.control.fail('500', { route: 'key' });
    const headers = { authorization: `Bearer ${simulator.keys.healthy}` };
    expect((await post({})).status).toBe(200);
    expect((await fetch(`${simulator.url}/key`, { headers })).status).toBe(500);
    expect((await fetch(`${simulator.url}/key`, { headers })).status).toBe(200);
  });

  test('unknown names of faults are refused by control and ignored in a header', async () => {
    expect(() => simulator.control.fail('no_such_fault')).toThrow('No fault is called "no_such_fault"');
    expect((await post({ fault: 'constructor' })).status).toBe(200);
    expect((await post({ model: 'sim/no_such_fault' })).status).toBe(400);
  });
});

describe('connections', () => {
  test('socket_reset breaks before an answer', async () => {
    await expect(post({ fault: 'socket_reset' })).rejects.toThrow('fetch failed');
  });
  test('socket_hang never answers', async () => {
    const controller = new AbortController();
    const pending = post({ fault: 'socket_hang', signal: controller.signal });
    await expect.poll(() => simulator.control.requests.length).toBe(1);
    controller.abort();
    await expect(pending).rejects.toThrow('aborted');
  });
  test.each([false, true])('truncated_json breaks inside the answer (stream: %s)', async (stream) => {
    const response = await post({ fault: 'truncated_json', stream });
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow('terminated');
  });
  test.each([
    ['html_200', 200],
    ['520_html', 520],
  ])('%s answers with an HTML page', async (fault, status) => {
    const response = await post({ fault });
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toContain('text/html');
    expect(await response.text()).toContain('<!DOCTYPE html>');
  });
});

describe('answers with status 200', () => {
  const unchargedNames = new Set(['ok_200_error_body', 'ok_finish_error', 'ok_empty', 'cost_zero']);
  const cases: [name: string, check: (answer: Answer) => unknown, expected: unknown][] = [
    ['ok_200_error_body', (body) => Object.keys(body), ['error']],
    ['ok_finish_error', (body) => body.choices[0]?.error.code, 502],
    ['ok_empty', (body) => [body.choices[0]?.message.content, body.usage.completion_tokens], ['', 0]],
    ['ok_null_content', (body) => body.choices[0]?.message.content, null],
    ['ok_reasoning_starved', (body) => body.choices[0]?.finish_reason, 'length'],
    ['ok_content_filter', (body) => body.choices[0]?.finish_reason, 'content_filter'],
    ['usage_missing', (body) => 'usage' in body, false],
    ['cost_zero', (body) => body.usage.cost, 0],
    ['is_byok', (body) => body.usage.is_byok, true],
    ['wrong_model_returned', (body) => body.model, 'simulated/another-model'],
  ];
  test.each(cases)(
    '%s answers 200 with its fault, charged or not as on the real one',
    async (name, check, expected) => {
      const response = await post({ fault: name });
      expect(response.status).toBe(200);
      expect(check(await readAnswer(response))).toStrictEqual(expected);
      expect(spent() !== '0').toBe(!unchargedNames.has(name));
    },
  );

  test('is_byok charges the fee and tells the cost of the provider', async () => {
    const { usage } = await readAnswer(await post({ fault: 'is_byok' }));
    const ratio = usage.cost / usage.cost_details.upstream_inference_cost;
    expect(ratio).toBeCloseTo(0.05, 10);
    expect(Number(spent())).toBe(usage.cost);
  });

  test('generation_404_forever answers but is never found', async () => {
    const { id } = await readAnswer(await post({ fault: 'generation_404_forever' }));
    const headers = { authorization: `Bearer ${simulator.keys.healthy}` };
    expect((await fetch(`${simulator.url}/generation?id=${id}`, { headers })).status).toBe(404);
  });
});

describe('streams with status 200', () => {
  const read = async (name: string): Promise<string> => {
    const response = await post({ fault: name, stream: true });
    expect(response.status).toBe(200);
    return response.text();
  };
  test.each([
    [
      'stream_error_typed',
      { code: 502, metadata: { error_type: 'provider_unavailable', provider_code: 'upstream_reset' } },
    ],
    ['stream_error_plain', { code: 400, message: 'Token limit reached' }],
    ['stream_error_bare', { message: 'Provider returned error' }],
    ['stream_string_code', { code: 'server_error' }],
    ['stream_empty_choices_error', { code: 502 }],
    ['ok_finish_error', { code: 502 }],
  ])('%s carries its error and charges nothing', async (name, error) => {
    const events = parseStream(await read(name)).events;
    expect(events.find((event) => 'error' in event)?.error).toMatchObject(error);
    expect(spent()).toBe('0');
  });

  test('stream_error_plain tells usage beside its error, and then [DONE]', async () => {
    const raw = await read('stream_error_plain');
    expect(parseStream(raw).events.at(-1)).toMatchObject({
      error: { code: 400 },
      choices: [{ finish_reason: null }],
      usage: { total_tokens: expect.any(Number) },
    });
    expect(raw).toMatch(/data: \[DONE\]\n\n$/);
  });

  test.each([
    ['stream_error_typed', 'response.failed'],
    ['stream_error_plain', 'error'],
    ['stream_error_bare', 'response.error'],
  ])('%s ends a response with the event %s', async (name, type) => {
    const response = await fetch(`${simulator.url}/responses`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${simulator.keys.healthy}`,
        'content-type': 'application/json',
        'x-sim-fault': name,
      },
      body: JSON.stringify({ model: MODEL, input: 'lighthouses', stream: true }),
    });
    const types = [...(await response.text()).matchAll(/^data: \{"type":"([\w.]+)"/gm)].map(([, found]) => found);
    expect(types.at(-1)).toBe(type);
    expect(types).toContain('response.output_text.delta');
    expect(spent()).toBe('0');
  });

  test('the fault header says how many content events come first', async () => {
    const events = parseStream(await read('stream_error_typed;after=5')).events;
    expect(events).toHaveLength(6);
  });

  test('stream_no_done ends without [DONE], and is charged', async () => {
    const raw = await read('stream_no_done');
    expect(raw).toContain('"usage"');
    expect(raw).not.toContain('[DONE]');
    expect(spent()).not.toBe('0');
  });

  test('stream_cut breaks off, charged for what was sent', async () => {
    const response = await post({ fault: 'stream_cut', stream: true });
    await expect(response.text()).rejects.toThrow('terminated');
    const partial = Number(spent());
    await (await post({})).text();
    expect(partial).toBeGreaterThan(0);
    expect(Number(spent()) - partial).toBeGreaterThan(partial);
  });

  test('stream_comments_only stays open without an event', async () => {
    const controller = new AbortController();
    const response = await post({ fault: 'stream_comments_only', stream: true, signal: controller.signal });
    const { value } = (await response.body?.getReader().read()) ?? {};
    expect(Buffer.from(value ?? []).toString()).toMatch(/^(: OPENROUTER PROCESSING\n\n)+$/);
    controller.abort();
  });

  test('stream_malformed_event has an event that is not JSON', async () => {
    const raw = await read('stream_malformed_event');
    expect(() => parseStream(raw)).toThrow(SyntaxError);
  });

  test('stream_bom_crlf has a byte order mark and CRLF and is otherwise whole', async () => {
    const response = await post({ fault: 'stream_bom_crlf', stream: true });
    const bytes = Buffer.from(await response.arrayBuffer());
    expect([...bytes.subarray(0, 3)]).toStrictEqual([0xef, 0xbb, 0xbf]);
    const raw = bytes.toString('utf8').slice(1);
    expect(raw.replaceAll('\r\n', '')).not.toContain('\n');
    expect(parseStream(raw.replaceAll('\r\n', '\n')).events.at(-1)).toHaveProperty('usage');
  });

  test('faults of streams answer 502 to a request without a stream', async () => {
    expect((await post({ fault: 'stream_cut' })).status).toBe(502);
    expect(spent()).toBe('0');
  });
});

test('a picture model behind a fault still draws a PNG', async () => {
  const response = await post({ model: 'google/gemini-2.5-flash-image', fault: 'cost_zero' });
  expect(response.status).toBe(200);
  const image = await post({ model: 'black-forest-labs/flux.2-pro', fault: 'cost_zero' });
  expect(PNG.sync.read(pictureOf(await readAnswer(image))).width).toBe(1_024);
});
