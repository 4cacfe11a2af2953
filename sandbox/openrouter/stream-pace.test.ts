import { EventSourceParserStream } from 'eventsource-parser/stream';
import { describe, expect, test } from 'vitest';
import { askSimulator, type Question } from '../../tests/support/ask-simulator.ts';
import { parseStream } from '../../tests/support/read-simulator-answer.ts';
import { useSimulator } from '../../tests/support/use-simulator.ts';

const simulator = useSimulator({ generationDelayMs: 0 });

async function stream(body: Record<string, unknown> = {}): Promise<string> {
  return (await askSimulator(simulator, { ...body, stream: true })).text();
}

const fault = (name: string): Question => ({ headers: { 'x-sim-fault': name } });

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
