import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parameterSchema } from '#resources/parameter.ts';
import type { ContentPart } from '#upstreams/index.ts';
import { checkPrompt, compilePrompt, renderMessages } from './prompt.ts';

const parameters = ['topic', 'mood'].map((name) => parameterSchema.parse({ name }));
const texts = { systemPrompt: 'About {topic}{/topic}.', userMessage: 'Mood: {mood}{/mood}' };

test('a parameter may stand in either template', () => {
  expect(checkPrompt(texts, parameters)).toEqual([]);
  expect(checkPrompt({ systemPrompt: texts.systemPrompt }, parameters)).toEqual([
    { path: '/parameters/1', message: 'The parameter `mood` is used in no template.' },
  ]);
});

test('problems name the field and the position', () => {
  const found = checkPrompt({ systemPrompt: 'Hi\n{who}{/who}', userMessage: '{topic}{/mood}' }, parameters);
  expect(found.map(({ path }) => path)).toEqual(['/config/systemPrompt', '/config/userMessage', '/parameters/1']);
  expect(found[0]?.message).toMatch(/^Line 2, column 1: /);
});

test('an empty prompt is refused', () => {
  expect(checkPrompt({ systemPrompt: ' \n' }, [])).toEqual([
    { path: '/config/systemPrompt', message: 'Write a prompt.' },
  ]);
});

test('values replace tags literally and once, in both messages', () => {
  const prompt = compilePrompt(texts, parameters);
  fc.assert(
    fc.property(fc.string(), fc.string({ minLength: 1 }), (topic, mood) => {
      const value = `${topic}$&{mood}{/mood}`;
      expect(renderMessages(prompt, { topic: value, mood })).toEqual([
        { role: 'system', content: `About ${value}.` },
        { role: 'user', content: `Mood: ${mood}` },
      ]);
    }),
  );
});

test('without a user turn the prompt is the user turn', () => {
  const prompt = compilePrompt({ systemPrompt: 'Write a haiku.' }, []);
  expect(renderMessages(prompt, {})).toEqual([{ role: 'user', content: 'Write a haiku.' }]);
  expect(renderMessages(prompt, {}, { userMessage: ' ' })).toEqual([{ role: 'user', content: 'Write a haiku.' }]);
  expect(renderMessages(prompt, {}, { userMessage: 'On rain' })).toEqual([
    { role: 'system', content: 'Write a haiku.' },
    { role: 'user', content: 'On rain' },
  ]);
});

const picture = (name: string): ContentPart => ({
  type: 'media',
  kind: 'image',
  contentType: 'image/png',
  bytes: Buffer.from(name),
  filename: `${name}.png`,
});
const withFile = [...parameters, parameterSchema.parse({ name: 'photo', type: 'image' })];

test('a file needs no tag', () => {
  expect(checkPrompt(texts, withFile)).toEqual([]);
});

test('a file stands where its tag is, once; without a user turn in the only message', () => {
  const prompt = compilePrompt({ systemPrompt: 'See {photo}{/photo}. And {photo}{/photo}!' }, withFile);
  expect(renderMessages(prompt, {}, { files: new Map([['photo', picture('photo')]]) })).toEqual([
    {
      role: 'user',
      content: [{ type: 'text', text: 'See ' }, picture('photo'), { type: 'text', text: '. And [photo]!' }],
    },
  ]);
});

test('a file that was left out is nothing, and the message stays text', () => {
  const prompt = compilePrompt({ systemPrompt: 'See {photo}{/photo}.' }, withFile);
  expect(renderMessages(prompt, {})).toEqual([{ role: 'user', content: 'See .' }]);
});

test('text of a buyer that looks like a tag brings in no file', () => {
  const prompt = compilePrompt(texts, withFile);
  fc.assert(
    fc.property(fc.constantFrom('{photo}{/photo}', '[photo]', '\\{photo}{/photo}'), (topic) => {
      const sent = renderMessages(prompt, { topic, mood: topic }, { files: new Map([['photo', picture('photo')]]) });
      expect(sent).toEqual([
        { role: 'system', content: `About ${topic}.` },
        { role: 'user', content: [{ type: 'text', text: `Mood: ${topic}` }, picture('photo')] },
      ]);
    }),
  );
});

test("a file without a tag follows the buyer's own message", () => {
  const prompt = compilePrompt({ systemPrompt: 'Answer.' }, [parameterSchema.parse({ name: 'photo', type: 'image' })]);
  const said = { userMessage: 'What is it?', files: new Map([['photo', picture('photo')]]) };
  expect(renderMessages(prompt, {}, said)).toEqual([
    { role: 'system', content: 'Answer.' },
    { role: 'user', content: [{ type: 'text', text: 'What is it?' }, picture('photo')] },
  ]);
});
