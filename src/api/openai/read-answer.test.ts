import type { LivePart, PlacedPart } from '#gateway/index.ts';
import { Problem } from '#kit/index.ts';
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
])('the text of an answer is %s', (...[, json, media, text]) => {
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

async function* place(parts: readonly LivePart[]): AsyncGenerator<PlacedPart> {
  for (const part of parts) {
    yield { run: 1, position: 0, part };
  }
}

async function gather(parts: readonly LivePart[]) {
  const texts: string[] = [];
  const ended = await gatherAnswer(place(parts), async (text) => void texts.push(text));
  return { texts, ended };
}

const begin = { type: 'begin' } as const;
const one = { type: 'delta', text: 'one ' } as const;

test('an answer in parts is given on as it comes and read to its end', async () => {
  const media = file('image');
  const json = { model: 'm', finishReason: 'length', citations: [{ url: 'https://there', title: null }] };
  const { texts, ended } = await gather([
    begin,
    one,
    { type: 'media', media },
    { type: 'delta', text: 'two' },
    { type: 'usage', usage },
    { type: 'done', json, media: [media] },
  ]);
  expect(texts).toEqual(['one ', 'two']);
  expect(ended).toMatchObject({
    said: { text: 'one two', images: [media], isCut: true, model: 'm', usage: { total: 7 }, citations: json.citations },
  });
});

test('an answer that breaks off is none, and one that is begun anew cannot be taken back', async () => {
  expect(await gather([begin, one])).toEqual({ texts: ['one '], ended: null });
  expect(await gather([begin, one, begin, one])).toMatchObject({ ended: { problem: { code: 'answer_owed' } } });
  expect(await gather([begin, begin, one, { type: 'done', json: {}, media: [] }])).toMatchObject({
    ended: { said: { text: 'one ' } },
  });
  const problem = new Problem('upstream_failed', { detail: 'It failed.' });
  expect(await gather([begin, one, { type: 'error', problem }])).toMatchObject({ ended: { problem } });
});
