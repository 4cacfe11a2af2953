import { Problem } from '#kit/index.ts';
import type { Parameter } from '#resources/index.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Asked, Contract } from './asked.ts';
import { fillInput } from './fill-input.ts';
import { readChat } from './read-chat.ts';
import { readResponseRequest } from './read-response-request.ts';

const text = (name: string, more: Partial<Parameter> = {}): Parameter => {
  return { name, type: 'string', description: '', ...more };
};

function openContract(parameters: readonly Parameter[], more: Partial<Contract> = {}): Contract {
  const names = new Set(parameters.map(({ name }) => name));
  return { parameters, names, takesUserMessage: false, promisesJson: false, ...more };
}

const withMessage = (parameters: readonly Parameter[]): Contract => {
  const contract = openContract(parameters, { takesUserMessage: true });
  return { ...contract, names: new Set([...contract.names, 'user_message']) };
};

const say = (content: unknown) => ({ messages: [{ role: 'user', content }] });

const said = (content: unknown) => ({ role: 'assistant', content });

type Body = Record<string, unknown>;

/** The input with what was ignored, or where it was refused. */
function translate(body: Body, contract: Contract, read: (body: Body, contract: Contract) => Asked = readChat) {
  try {
    const asked = read(body, contract);
    return { input: fillInput(asked, contract), ignored: asked.ignored };
  } catch (error) {
    if (error instanceof Problem && error.code === 'invalid_input') {
      return { refused: error.fields[0]?.path };
    }
    throw error;
  }
}

const topic = openContract([text('topic')]);
const two = openContract([text('from'), text('into')]);
const picture = { name: 'picture', type: 'image', description: '' } as const;
const paper = { name: 'paper', type: 'file', description: '' } as const;

describe('the message of the user', () => {
  test.each<[string, Contract, Body, Body]>([
    ['is the only text', topic, say('rivers'), { topic: 'rivers' }],
    [
      'may come in parts',
      topic,
      say([
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b' },
      ]),
      { topic: 'a\nb' },
    ],
    [
      'is `user_message` where the resource takes one',
      withMessage([text('reader')]),
      { ...say('hello'), metadata: { reader: 'a child' } },
      { reader: 'a child', user_message: 'hello' },
    ],
    [
      'is the only text that is needed',
      openContract([text('topic'), text('tone', { default: 'dry' })]),
      say('rivers'),
      { topic: 'rivers' },
    ],
    [
      'is the needed text that is not named',
      two,
      { ...say('moi'), metadata: { from: 'fi' } },
      { from: 'fi', into: 'moi' },
    ],
    [
      'may be empty where all is named',
      two,
      { ...say(''), parameters: { from: 'a', into: 'b' } },
      { from: 'a', into: 'b' },
    ],
    ['need not be there where all is named', topic, { messages: [], parameters: { topic: 'a' } }, { topic: 'a' }],
    ['may leave a text out', topic, say(null), {}],
  ])('%s', (...[, contract, body, input]) => {
    expect(translate(body, contract)).toEqual({ input, ignored: [] });
  });

  test('is the last of a conversation, whose earlier turns are told as ignored', () => {
    const messages = [...say('a').messages, { ...said('b'), refusal: null, tool_calls: [] }, ...say('rivers').messages];
    expect(translate({ messages, temperature: 0 }, topic)).toEqual({
      input: { topic: 'rivers' },
      ignored: ['messages (2 earlier)', 'temperature'],
    });
    const again = { messages: [...say('a').messages, ...say('rivers').messages] };
    expect(translate(again, topic)).toEqual({ input: { topic: 'rivers' }, ignored: ['messages (1 earlier)'] });
  });

  test.each<[string, Contract, Body, string]>([
    ['that could be two texts', two, say('moi'), '/messages/0/content'],
    ['that is text where none is taken', openContract([picture]), say('look'), '/messages/0/content'],
    ['that is named too', topic, { ...say('a'), parameters: { topic: 'b' } }, '/messages/0/content'],
    [
      'after a system prompt',
      topic,
      { messages: [{ role: 'system', content: 'x' }, ...say('a').messages] },
      '/messages/0',
    ],
    ['before an answer that was begun', topic, { messages: [...say('a').messages, said('x')] }, '/messages/1'],
    [
      'after what a tool said',
      topic,
      { messages: [...say('a').messages, { role: 'tool', tool_call_id: 'c', content: 'x' }, ...say('b').messages] },
      '/messages/1',
    ],
    [
      'after the wish for a tool',
      topic,
      { messages: [...say('a').messages, { ...said(null), tool_calls: [{ id: 'c' }] }, ...say('b').messages] },
      '/messages/1',
    ],
    ['after something that is none', topic, { messages: [null, ...say('a').messages] }, '/messages/0'],
    ['of the assistant', topic, { messages: [{ role: 'assistant', content: 'x' }] }, '/messages/0'],
    ['that is not there', topic, {}, '/messages'],
    ['of a part of no known type', topic, say([{ type: 'refusal', refusal: 'x' }]), '/messages/0/content/0/type'],
    ['of a part that is none', topic, say([null]), '/messages/0/content/0/type'],
  ])('is refused: one %s', (...[, contract, body, refused]) => {
    expect(translate(body, contract)).toEqual({ refused });
  });
});

describe('a parameter', () => {
  const many = openContract([
    text('topic'),
    { name: 'lines', type: 'integer', description: '' },
    text('user'),
    text('tools'),
  ]);

  test.each<[string, Body, Body]>([
    ['among the members of the request', { lines: 3 }, { lines: 3 }],
    ['that is called like a hint', { user: 'ada' }, { user: 'ada' }],
    ['that is called like a demand', { tools: 'saw' }, { tools: 'saw' }],
    ['in `metadata`', { metadata: { lines: '3' } }, { lines: '3' }],
    ['in `parameters`', { parameters: { lines: 3 } }, { lines: 3 }],
    ['in `extra_body`, where a client does not take it apart', { extra_body: { lines: 3 } }, { lines: 3 }],
    ['that nobody knows, for the schema to refuse', { colour: 'red' }, { colour: 'red' }],
    [
      'called __proto__, for the schema to refuse',
      JSON.parse('{"parameters":{"__proto__":"x"}}') as Body,
      JSON.parse('{"__proto__":"x"}') as Body,
    ],
  ])('is taken %s', (_, body, input) => {
    expect(translate({ ...say(''), ...body }, many)).toEqual({ input, ignored: [] });
  });

  test.each<[string, Body, string]>([
    ['given twice', { lines: 3, metadata: { lines: '3' } }, '/metadata/lines'],
    ['in something that is no object', { parameters: ['lines'] }, '/parameters'],
  ])('is refused: %s', (_, body, refused) => {
    expect(translate({ ...say(''), ...body }, many)).toEqual({ refused });
  });
});

describe('what a resource decides itself', () => {
  test('is told as ignored where it shapes the text alone', () => {
    const hints = { temperature: 0.2, max_tokens: 5, stop: ['x'], seed: null, metadata: { session: '7' } };
    expect(translate({ ...say('a'), ...hints }, topic)).toEqual({
      input: { topic: 'a' },
      ignored: ['temperature', 'max_tokens', 'stop', 'metadata.session'],
    });
  });

  test.each<[string, unknown]>([
    ['tools', [{ type: 'function', function: { name: 'f' } }]],
    ['tool_choice', 'required'],
    ['n', 2],
    ['logprobs', true],
    ['response_format', { type: 'json_object' }],
    ['response_format', { type: 'json_schema', json_schema: {} }],
    ['audio', { voice: 'alloy' }],
    ['modalities', ['text', 'audio']],
    ['web_search_options', {}],
    ['models', ['other']],
  ])('is refused where another answer is asked for: %s %j', (name, value) => {
    expect(translate({ ...say('a'), [name]: value }, topic)).toEqual({ refused: `/${name}` });
  });

  test.each<[string, unknown]>([
    ['tools', []],
    ['tool_choice', 'auto'],
    ['n', 1],
    ['logprobs', false],
    ['response_format', { type: 'text' }],
  ])('is nothing where nothing is asked for: %s %j', (name, value) => {
    expect(translate({ ...say('a'), [name]: value }, topic)).toEqual({ input: { topic: 'a' }, ignored: [] });
  });

  test('is JSON where it is promised, by the resource’s own schema only', () => {
    const promised = openContract([text('topic')], { promisesJson: true });
    const asking = (type: string) => translate({ ...say('a'), response_format: { type } }, promised);
    expect(asking('json_object')).toEqual({ input: { topic: 'a' }, ignored: [] });
    expect(asking('json_schema')).toEqual({ refused: '/response_format' });
  });
});

describe('a file', () => {
  const url = 'https://example.com/a';
  const data = 'data:application/pdf;base64,JVBERg==';
  const film = { name: 'film', type: 'video', description: '' } as const;
  const sound = { name: 'sound', type: 'audio', description: '' } as const;
  const all = openContract([picture, film, sound, { name: 'pages', type: 'pdf', description: '' }]);

  test.each<[object, Body]>([
    [{ type: 'image_url', image_url: { url } }, { picture: url }],
    [{ type: 'video_url', video_url: { url } }, { film: url }],
    [{ type: 'input_audio', input_audio: { data: 'UklG', format: 'mp3' } }, { sound: 'data:audio/mpeg;base64,UklG' }],
    [{ type: 'file', file: { file_data: data, filename: 'a.pdf' } }, { pages: data }],
    [{ type: 'file', file: { file_data: 'JVBERg==' } }, { pages: data }],
    [{ type: 'file', file: { file_id: 'upload:0123456789abcdef' } }, { pages: 'upload:0123456789abcdef' }],
  ])('%j goes where such is taken', (part, input) => {
    expect(translate(say([part]), all)).toEqual({ input, ignored: [] });
  });

  test('of any type goes to the parameter that takes files', () => {
    const open = openContract([{ ...paper, contentTypes: ['image/png', 'application/pdf'] }]);
    expect(translate(say([{ type: 'image_url', image_url: { url } }]), open)).toMatchObject({ input: { paper: url } });
    const narrow = openContract([paper]);
    const part = { type: 'image_url', image_url: { url } };
    expect(translate(say([part]), narrow)).toEqual({ refused: '/messages/0/content/0' });
    const close = { type: 'image_url', image_url: { url, detail: 'high' } };
    expect(translate(say([close]), open)).toMatchObject({ ignored: ['detail'] });
  });

  test.each<[string, readonly Parameter[], unknown[]]>([
    ['where none is taken', [text('topic')], [{ type: 'image_url', image_url: { url } }]],
    ['where two are taken', [picture, { ...picture, name: 'other' }], [{ type: 'image_url', image_url: { url } }]],
    ['of an id of somebody else', [paper], [{ type: 'file', file: { file_id: 'file-abc' } }]],
  ])('is refused %s', (_, parameters, parts) => {
    const refused = expect.stringMatching(/^\/messages\/0\/content\/0/) as unknown;
    expect(translate(say(parts), openContract(parameters))).toEqual({ refused });
  });

  test('beside another that is named', () => {
    const pair = openContract([picture, { ...picture, name: 'other' }]);
    const body = { ...say([{ type: 'image_url', image_url: { url } }]), parameters: { other: 'upload:x' } };
    expect(translate(body, pair)).toMatchObject({ input: { other: 'upload:x', picture: url } });
  });
});

test('whatever is sent is read or refused', () => {
  const contracts = fc.constantFrom(topic, two, withMessage([picture, text('topic')]), openContract([paper]));
  const member = fc.constantFrom(
    'messages',
    'input',
    'parameters',
    'metadata',
    'tools',
    'n',
    'text',
    'content',
    'role',
    'type',
  );
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom<unknown>(null, true, 1, '', 'user', 'text', 'input_text', 'image_url', 'file'),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(member, tie('tree'), { maxKeys: 4 }),
    ),
  }));
  const forms = fc.constantFrom(readChat, readResponseRequest);
  fc.assert(
    fc.property(fc.dictionary(member, tree), contracts, forms, (body, contract, form) => {
      const result = translate(body, contract, form);
      expect('input' in result || typeof result.refused === 'string').toBe(true);
    }),
  );
});
