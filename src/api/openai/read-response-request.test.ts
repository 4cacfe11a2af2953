import { Problem } from '#kit/index.ts';
import { expect, test } from 'vitest';
import { readResponseRequest } from './read-response-request.ts';

const contract = { parameters: [], names: new Set<string>(), takesUserMessage: true, promisesJson: false };

/** What is said with what is ignored, or where it was refused. */
function read(body: Record<string, unknown>) {
  try {
    const { said, given, ignored } = readResponseRequest(body, contract);
    expect(given).toEqual([]);
    return { text: said.text, ignored };
  } catch (error) {
    if (error instanceof Problem && error.code === 'invalid_input') {
      return { refused: error.fields[0]?.path };
    }
    throw error;
  }
}

test.each<[string, unknown]>([
  ['text', 'rivers'],
  ['a message', [{ role: 'user', content: 'rivers' }]],
  ['a message of parts', [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'rivers' }] }]],
])('the input is %s', (_, input) => {
  expect(read({ input })).toEqual({ text: 'rivers', ignored: [] });
});

test('of a conversation the last message counts; prompts and tools are refused', () => {
  const content = [{ type: 'output_text', text: 'b', annotations: [] }];
  const input = [
    { role: 'user', content: 'a' },
    { type: 'message', id: 'msg_1', status: 'completed', role: 'assistant', content },
    { role: 'user', content: 'rivers' },
  ];
  expect(read({ input })).toEqual({ text: 'rivers', ignored: ['input (2 earlier)'] });
  expect(read({ input: [{ role: 'developer', content: 'x' }, ...input] })).toEqual({ refused: '/input/0' });
  const told = { type: 'function_call_output', call_id: 'c', output: 'x' };
  expect(read({ input: [...input, told] })).toEqual({ refused: '/input/3' });
});

test.each<[string, unknown]>([
  ['instructions', 'Be brief.'],
  ['previous_response_id', 'resp_1'],
  ['conversation', 'conv_1'],
  ['tools', [{ type: 'web_search' }]],
  ['background', true],
  ['prompt', { id: 'pmpt_1' }],
  ['text', { format: { type: 'json_schema', name: 'x', schema: {} } }],
])('is refused with %s', (name, value) => {
  expect(read({ input: 'rivers', [name]: value })).toEqual({ refused: `/${name}` });
});

test('what has no effect is told', () => {
  const body = { input: 'a', store: false, temperature: 1, text: { verbosity: 'low' }, reasoning: { effort: 'low' } };
  expect(read(body)).toEqual({ text: 'a', ignored: ['store', 'temperature', 'text.verbosity', 'reasoning'] });
});
