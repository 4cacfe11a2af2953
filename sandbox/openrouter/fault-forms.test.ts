import { describe, expect, test } from 'vitest';
import { askSimulator, type Question } from '../../tests/support/ask-simulator.ts';
import { parseStream } from '../../tests/support/read-simulator-answer.ts';
import { useSimulator } from '../../tests/support/use-simulator.ts';

const simulator = useSimulator({ generationDelayMs: 0 });

async function stream(body: Record<string, unknown> = {}, question: Question = {}): Promise<string> {
  return (await askSimulator(simulator, { ...body, stream: true }, question)).text();
}

const fault = (name: string): Question => ({ headers: { 'x-sim-fault': name } });

describe('faults', () => {
  const slow = ['slow_headers', 'slow_body'].flatMap((name) =>
    [false, true].map((isStream) => [name, isStream] as const),
  );

  test.each(slow)('%s (stream: %s) is late but right', async (name, isStream) => {
    simulator.control.setSlowMs(1);
    const late = await (await askSimulator(simulator, { stream: isStream }, fault(name))).text();
    expect(late.length).toBe((await (await askSimulator(simulator, { stream: isStream })).text()).length);
  });

  test.each([false, true])('slow_headers (stream: %s) sends nothing for so long', async (isStream) => {
    simulator.control.setSlowMs(600_000);
    const controller = new AbortController();
    const pending = askSimulator(
      simulator,
      { stream: isStream },
      { ...fault('slow_headers'), signal: controller.signal },
    );
    await expect.poll(() => simulator.control.requests.length).toBe(1);
    expect((await askSimulator(simulator)).status).toBe(200);
    controller.abort();
    await expect(pending).rejects.toThrow('aborted');
  });

  test.each([false, true])(
    'slow_body (stream: %s) sends its head and a part, then nothing for so long',
    async (isStream) => {
      simulator.control.setSlowMs(600_000);
      const controller = new AbortController();
      const question = { ...fault('slow_body'), signal: controller.signal };
      const response = await askSimulator(simulator, { stream: isStream }, question);
      expect(response.status).toBe(200);
      const reader = response.body?.getReader();
      expect((await reader?.read())?.value?.length).toBeGreaterThan(0);
      controller.abort();
      await expect(reader?.closed).rejects.toThrow('aborted');
    },
  );

  test('tool_call_split has one character of the arguments in each event', async () => {
    const { events } = parseStream(await stream({}, fault('tool_call_split')));
    const pieces = events.flatMap((event) => event.choices[0]?.delta.tool_calls ?? []);
    expect(pieces[0]?.function).toEqual({ name: 'look_up', arguments: '' });
    expect(pieces.slice(1).every((piece) => piece.function.arguments.length === 1)).toBe(true);
    expect(JSON.parse(pieces.map((piece) => piece.function.arguments).join(''))).toMatchObject({ count: 2 });
  });

  test('json_invalid is no JSON where JSON was asked for', async () => {
    const answer = await askSimulator(simulator, { response_format: { type: 'json_object' } }, fault('json_invalid'));
    const { choices } = (await answer.json()) as { choices: { message: { content: string } }[] };
    expect(() => JSON.parse(choices[0]?.message.content ?? '{}') as unknown).toThrow(SyntaxError);
  });

  test('usage_partial_cost counts the tokens, but does not say what they cost; it is charged all the same', async () => {
    const answer = await askSimulator(simulator, {}, fault('usage_partial_cost'));
    const { id, usage } = (await answer.json()) as { id: string; usage: Record<string, unknown> };
    expect(usage).not.toHaveProperty('cost');
    expect(usage).toMatchObject({ cost_details: { upstream_inference_cost: null } });
    const headers = { authorization: `Bearer ${simulator.keys.healthy}` };
    const found = await fetch(`${simulator.url}/generation?id=${id}`, { headers });
    const { data } = (await found.json()) as { data: { total_cost: number } };
    expect(data.total_cost).toBeGreaterThan(0);
    expect(simulator.control.getBalance(simulator.keys.healthy).keyUsageUsd).toBe(String(data.total_cost));
  });

  test('a header with times strikes so often and no more', async () => {
    const statuses: number[] = [];
    for (const question of Array.from({ length: 4 }, () => fault('503;times=2'))) {
      statuses.push((await askSimulator(simulator, {}, question)).status);
    }
    expect(statuses).toEqual([503, 503, 200, 200]);
  });

  test('a fault with a probability strikes some, and the same ones in each run', async () => {
    const run = async (): Promise<number[]> => {
      simulator.control.reset();
      simulator.control.fail('500', { times: 100, probability: 0.5 });
      const statuses: number[] = [];
      for (const body of Array.from({ length: 20 }, () => ({}))) {
        statuses.push((await askSimulator(simulator, body)).status);
      }
      return statuses;
    };
    const first = await run();
    expect(new Set(first)).toEqual(new Set([200, 500]));
    expect(await run()).toEqual(first);
  });
});
