import { randomBytes } from 'node:crypto';
import { PNG } from 'pngjs';
import { describe, expect, test } from 'vitest';
import { endless, MEDIA_TOPIC, useMediaWorld, type MediaCall } from '../../../tests/support/media-world.ts';
import { CANARY_KEY } from '../../../tests/support/scripted-openrouter.ts';
import { bytes, status, type Step } from '../../../tests/support/scripted-upstream.ts';

const media = useMediaWorld();
const failed = (cause: RegExp, problem = 'upstream_failed') => ({
  ok: false,
  problem,
  cause: expect.stringMatching(cause) as string,
});
const png = PNG.sync.write(new PNG({ width: 4, height: 2 }));
const picture = (b64: string): Step => status(200, { created: 1, data: [{ b64_json: b64 }], usage: { cost: 0.03 } });

describe('pictures', () => {
  test('come with the price that stood on the wire, digit for digit', async () => {
    const body = `{"created":1,"data":[{"b64_json":"${png.toString('base64')}"}],"usage":{"prompt_tokens":3,"completion_tokens":9,"cost":0.0300000000000000001}}`;
    const outcome = await media.run('image', [
      bytes([body], { type: 'application/json', headers: { 'x-generation-id': 'gen-1' } }),
    ]);
    expect(outcome).toMatchObject({
      ok: true,
      answer: { body: { json: { images: [{ width: 4, height: 2 }], usage: { total_tokens: 12 } } } },
      evidence: { costUsd: '0.0300000000000000001', own: { route: 'images', generationId: 'gen-1' } },
    });
    const sent = JSON.parse(media.router.upstream.seen.at(-1)?.body ?? '{}') as object;
    expect(sent).toEqual({ model: 'acme/image', prompt: `About ${MEDIA_TOPIC}` });
  });

  test.each<[string, string, string | null]>([
    ['fee and provider', ',"cost_details":{"upstream_inference_cost":0.0300000000000000001}', '0.0315000000000000001'],
    ['what nobody knows where only the fee is told', '', null],
  ])('with a provider key of the account cost %s', async (_what, details, costUsd) => {
    const usage = `{"cost":0.0015,"is_byok":true${details}}`;
    const body = `{"created":1,"data":[{"b64_json":"${png.toString('base64')}"}],"usage":${usage}}`;
    const outcome = await media.run('image', [bytes([body], { type: 'application/json' })]);
    expect(outcome).toMatchObject({ ok: true, evidence: { costUsd } });
  });

  test.each<[string, Step, RegExp]>([
    ['HTML in the place of a picture', picture(btoa('<html><script>alert(1)</script></html>')), /^unusable_image/],
    ['SVG, which can hold scripts', picture(btoa('<svg xmlns="http://www.w3.org/2000/svg"/>')), /^unusable_image/],
    ['base64 that was cut', picture(png.toString('base64').slice(0, 41)), /^malformed/],
    ['a picture that was cut', picture(png.subarray(0, 45).toString('base64')), /^unusable_image: .*breaks off/],
    [
      'a picture of more than 20 MB',
      picture(Buffer.concat([png, Buffer.alloc(20_000_000), png]).toString('base64')),
      /^unusable_image/,
    ],
    ['no picture', status(200, { created: 1, data: [] }), /^malformed/],
    ['an empty picture', picture(''), /^malformed/],
    ['a page', bytes(['<html>'], { type: 'text/html' }), /^malformed/],
    ['nothing', bytes([''], { type: 'application/json' }), /^malformed/],
    ['an error inside a success', status(200, { error: { code: 502, message: 'no' } }), /^provider_down|^upstream|502/],
    ['an address that is no web page', status(200, { data: [{ url: 'file:///etc/passwd' }] }), /^malformed/],
    [
      'an address inside this network',
      status(200, { data: [{ url: 'https://169.254.169.254/latest' }] }),
      /^malformed/,
    ],
    ['an address without encryption', status(200, { data: [{ url: 'http://example.com/a.png' }] }), /^malformed/],
    ['an address on this machine', status(200, { data: [{ url: 'https://localhost/a.png' }] }), /^malformed/],
  ])('are not sold where there is %s', async (_what, step, cause) => {
    expect(await media.run('image', [step])).toMatchObject(failed(cause));
  });

  test('are not asked for by one of the buyer where nobody tells who would take it', async () => {
    const config = { imageConfig: { references: ['photo'] } };
    const outcome = await media.run('image', [picture(png.toString('base64'))], { config, photo: png });
    expect(outcome).toMatchObject({ ...failed(/^model_input/, 'unavailable'), evidence: { costUsd: '0' } });
    expect(media.orders()).toEqual([]);
  });

  test('at an address are fetched from there, without the key', async () => {
    const outcome = await media.runTrusting('image', [
      status(200, { data: [{ url: `${media.router.upstream.url}/files/a.png` }] }),
      bytes([png], { type: 'image/png' }),
    ]);
    expect(outcome).toMatchObject({ ok: true, answer: { media: [{ contentType: 'image/png' }] } });
    expect(media.router.upstream.seen.at(-1)?.headers.authorization).toBeUndefined();
  });

  test('are ordered again where the upstream says that it did not begin', async () => {
    const context = { deadlineMs: Date.now() + 5_000 };
    const outcome = await media.run('image', [status(503, {}), picture(png.toString('base64'))], { context });
    expect(outcome).toMatchObject({ ok: true, evidence: { attempts: 2 } });
  });

  test('that may have been made are not ordered twice', async () => {
    const cut = bytes(['{"da'], { type: 'application/json', cut: true });
    // Time enough for another attempt.
    const context = { deadlineMs: Date.now() + 5_000 };
    expect(await media.run('image', [cut], { context })).toMatchObject(failed(/^connection_failed/));
    expect(media.orders()).toEqual(['POST /images']);
  });
});

describe('speech', () => {
  test.each<[string, Step, RegExp]>([
    ['a page', bytes(['<html>'], { type: 'text/html' }), /^malformed/],
    ['a page that calls itself sound', bytes(['<html>'], { type: 'audio/mpeg' }), /^unusable_audio/],
    ['JSON', status(200, { audio: 'none' }), /^malformed/],
    ['nothing', bytes([], { type: 'audio/mpeg' }), /^malformed/],
    ['a sound without end', endless('audio/mpeg'), /^answer_too_large/],
    ['a sound that breaks off', bytes(['fff'], { type: 'audio/mpeg', cut: true }), /^connection_failed/],
  ])('is not sold where there is %s', async (_what, step, cause) => {
    const context = { deadlineMs: Date.now() + 20_000 };
    expect(await media.run('speech', [step], { context })).toMatchObject(failed(cause));
  });

  test('is sold also where nobody tells what it did cost', async () => {
    const mp3 = Buffer.concat([Buffer.from('fffb10c4', 'hex'), Buffer.alloc(100)]);
    const answer = bytes([mp3], { type: 'audio/mpeg', headers: { 'x-generation-id': 'gen-1' } });
    const outcome = await media.run('speech', [answer, status(404, {})], {
      context: { deadlineMs: Date.now() + 5_000 },
    });
    expect(outcome).toMatchObject({ ok: true, evidence: { costUsd: null } });
    expect(media.orders().filter((line) => line.includes('/generation')).length).toBeGreaterThan(0);
  });

  test('with a provider key of the account costs what the generation tells of both', async () => {
    const mp3 = Buffer.concat([Buffer.from('fffb10c4', 'hex'), Buffer.alloc(100)]);
    const answer = bytes([mp3], { type: 'audio/mpeg', headers: { 'x-generation-id': 'gen-1' } });
    const told = status(200, { data: { total_cost: 0.0001, is_byok: true, upstream_inference_cost: 0.002 } });
    const outcome = await media.run('speech', [answer, told], { context: { deadlineMs: Date.now() + 5_000 } });
    expect(outcome).toMatchObject({ ok: true, evidence: { costUsd: '0.0021' } });
  });
});

describe('sound in a chat', () => {
  const chunk = (audio: object): string => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { audio } }] })}\n\n`;
  const end = `data: ${JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })}\n\n`;
  const samples = randomBytes(4_001);
  const base64 = samples.toString('base64');

  test.each<[string, string[]]>([
    ['cut anywhere', [base64.slice(0, 1_001), base64.slice(1_001, 2_222), base64.slice(2_222)]],
    [
      'each encoded by itself',
      [samples.subarray(0, 1_000).toString('base64'), samples.subarray(1_000).toString('base64')],
    ],
  ])('in pieces %s is one WAV with its transcript as text', async (_how, pieces) => {
    const events = pieces.map((data, at) => chunk({ data, ...(at === 0 ? { transcript: 'Two words' } : {}) }));
    const outcome = await media.run('talker', [bytes([...events, end])], { config: { audio: { voice: 'alloy' } } });
    expect(outcome).toMatchObject({
      ok: true,
      answer: { body: { json: { response: 'Two words', audio: { contentType: 'audio/wav', sizeBytes: 4_044 } } } },
    });
    const sent = JSON.parse(media.router.upstream.seen.at(-1)?.body ?? '{}') as object;
    const audio = { voice: 'alloy', format: 'pcm16' };
    expect(sent).toMatchObject({ stream: true, modalities: ['text', 'audio'], audio });
  });
});

test('a chat that was to speak and only writes is not sold', async () => {
  const choice = { index: 0, delta: { content: 'Two words' }, finish_reason: 'stop' };
  const only = bytes([`data: ${JSON.stringify({ choices: [choice] })}\n\n`]);
  expect(await media.run('talker', [only], { config: { audio: { voice: 'alloy' } } })).toMatchObject(
    failed(/^empty_answer/),
  );
});

describe('what else is no answer', () => {
  const vector = (embedding: unknown): Step => status(200, { object: 'list', data: [{ embedding }] });
  const ranks = (...results: object[]): Step => status(200, { results });
  const documents = { config: { rerank: { documents: 'source' } }, input: { source: 'one\ntwo' } };
  const sound = { config: { transcription: { audio: 'sound' } }, sound: Buffer.from('RIFF') };

  test.each<[string, string, Step, MediaCall]>([
    ['an empty vector', 'embeddings', vector([]), {}],
    ['a vector of words', 'embeddings', vector(['a']), {}],
    ['half a number of a packed vector', 'embeddings', vector('AAA='), {}],
    ['a document that was not sent', 'rerank', ranks({ index: 2, relevance_score: 1 }), documents],
    [
      'a document twice',
      'rerank',
      ranks({ index: 0, relevance_score: 1 }, { index: 0, relevance_score: 1 }),
      documents,
    ],
    ['a place before the first', 'rerank', ranks({ index: -1, relevance_score: 1 }), documents],
    ['no transcript', 'transcription', status(200, { words: [] }), sound],
  ])('%s', async (_what, ...[output, step, call]) => {
    expect(await media.run(output, [step], call)).toMatchObject(failed(/^malformed/));
  });

  test('a transcript of silence', async () => {
    expect(await media.run('transcription', [status(200, { text: ' \n' })], sound)).toMatchObject(
      failed(/^empty_answer/),
    );
  });
});

test.each(['image', 'speech', 'video', 'embeddings', 'rerank', 'transcription'])(
  'neither key nor input are told where %s fails in words that repeat them',
  async (output) => {
    const repeat: Step = (response, { headers, body }) => {
      response.writeHead(400, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify({ error: { code: 400, message: `${headers.authorization} ${body}`, metadata: { raw: body } } }),
      );
    };
    const config = { rerank: { documents: 'source' }, transcription: { audio: 'sound' } };
    const input = { source: MEDIA_TOPIC };
    const sound = Buffer.from(MEDIA_TOPIC.repeat(9));
    const only = output === 'rerank' || output === 'transcription' ? { [output]: config[output] } : {};
    const sent = output === 'transcription' ? { sound } : { input };
    const outcome = await media.run(output, [repeat], { config: only, ...sent });
    expect(outcome.ok).toBe(false);
    const told = JSON.stringify([outcome, media.told()]);
    expect(
      [CANARY_KEY, MEDIA_TOPIC, Buffer.from(MEDIA_TOPIC).toString('base64').slice(0, 30)].filter((secret) =>
        told.includes(secret),
      ),
    ).toEqual([]);
  },
);
