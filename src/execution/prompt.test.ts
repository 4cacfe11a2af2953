import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parameterSchema } from '#resources/parameter.ts';
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
