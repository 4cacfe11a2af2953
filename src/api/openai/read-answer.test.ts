import type { JsonObject, MediaReference } from '#resources/index.ts';
import { expect, test } from 'vitest';
import { gatherAnswer, readAnswer } from './read-answer.ts';

const file = (kind: MediaReference['kind']) => ({ kind, url: `https://here/${kind}` }) as MediaReference;
const usage = { input_tokens: 3, output_tokens: 4, total_tokens: 7 };

const read = (json: JsonObject, media: MediaReference[] = []) =>
  readAnswer({ contentType: 'application/json', media }, { type: 'json', json });

test.each<[string, JsonObject, MediaReference[], string]>([
  ['its response', { response: 'Hello.', usage }, [], 'Hello.'],
  ['promised JSON', { response: '{ "a": 1 }', output: { a: 1 } }, [], '{"a":1}'],
  ['a vector as JSON', { response: '', embedding: [1, 2], model: 'm', usage }, [], '{"embedding":[1,2]}'],
  ['JSON of a kind of its own', { answer: 42 }, [], '{"answer":42}'],
  ['the link of what was spoken', { response: '', audio: {}, media: [] }, [file('audio')], 'https://here/audio'],
  ['nothing beside a picture', { response: '', images: [], media: [] }, [file('image')], ''],
])('the text of an answer is %s', (_, json, media, text) => {
  expect(read(json, media)).toMatchObject({ text, media });
});

test('what has no place beside the text is kept', () => {
  const said = read({ response: 'Good morning.', language: 'en', model: 'm', usage, finishReason: 'length' });
  expect(said).toMatchObject({ more: { language: 'en' }, model: 'm', isCut: true });
  expect(said.usage).toEqual({ input: 3, output: 4, total: 7 });
});

test('usage that is not known is none', () => {
  expect(read({ response: 'a', usage: { ...usage, output_tokens: null } }).usage).toBeNull();
});

test.each([
  ['text/plain; charset=utf-8', 'Grüße'],
  ['application/json', 'Grüße'],
  ['image/png', 'data:image/png;base64,R3LDvMOfZQ=='],
])('bytes of %s become text', (contentType, text) => {
  const body = { type: 'bytes', bytes: Buffer.from('Grüße') } as const;
  expect(readAnswer({ contentType, media: [] }, body)).toMatchObject({ text });
});

async function* parts() {
  yield { type: 'delta', text: 'one ' } as const;
  yield { type: 'media', media: file('image') } as const;
  yield { type: 'delta', text: 'two' } as const;
  yield { type: 'usage', usage } as const;
  yield { type: 'done' } as const;
}

test('an answer in parts is read to its end', async () => {
  const seen: string[] = [];
  const { said, problem } = await gatherAnswer(parts(), async ({ type }) => void seen.push(type));
  expect(said).toMatchObject({ text: 'one two', images: [file('image')], usage: { total: 7 } });
  expect(problem).toBeNull();
  expect(seen).toEqual(['delta', 'media', 'delta', 'usage', 'done']);
});
