import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Json } from '#kit/index.ts';
import { openMedia } from '#media/index.ts';
import { parameterSchema } from '#resources/parameter.ts';
import type { Outcome, RunContext } from '#resources/index.ts';
import { openOutbound, type Outbound } from '#upstreams/outbound/open-outbound.ts';
import type { OpenRouterClient } from '#upstreams/index.ts';
import { executionDeps, knownModel, publishedVersion, runContext } from '../../../tests/support/execution-deps.ts';
import { CANARY_KEY, useScriptedOpenRouter } from '../../../tests/support/scripted-openrouter.ts';
import { bytes, status, type Step } from '../../../tests/support/scripted-upstream.ts';
import { useTestDatabase } from '../../../tests/support/test-database.ts';
import { openOpenRouterInstant } from '../index.ts';

const TOPIC = 'a canary named Harold Quince';
const database = useTestDatabase();
const router = useScriptedOpenRouter();
const outputs = ['image', 'speech', 'transcription', 'video', 'embeddings', 'rerank'];
const models = [
  ...outputs.map((output) => knownModel({ openrouterId: `acme/${output}`, outputModalities: [output] })),
  knownModel({ openrouterId: 'acme/talker', outputModalities: ['text', 'audio'] }),
];
const png = PNG.sync.write(new PNG({ width: 4, height: 2 }));
const parameters = [
  parameterSchema.parse({ name: 'topic' }),
  parameterSchema.parse({ name: 'source', required: false }),
];

let folder: string;
let outbound: Outbound;
let client: OpenRouterClient;
let world: ReturnType<typeof executionDeps>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'farebox-media-'));
  outbound = openOutbound();
  client = router.open({ outbound });
});
afterAll(async () => {
  await client.close();
  await outbound.close();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => use(client));

function use(openRouter: OpenRouterClient): void {
  const clock = { now: () => Date.now() };
  const publicUrl = 'https://f.example';
  const media = openMedia({ database: database.current, folder, signingKey: randomBytes(32), publicUrl, clock });
  const given = { openRouter, openRouterMedia: openRouter.media, chatCompletions: {} as never, outbound, media };
  world = executionDeps(given, models);
  world.deps.openCreatorKey = async () => ({ apiKey: CANARY_KEY });
}

interface Call {
  config?: object;
  input?: Record<string, unknown>;
  context?: Partial<RunContext>;
}

async function run(output: string, steps: Step[], { config = {}, input = {}, context = {} }: Call = {}) {
  // Without a price list the first request of a run is its own.
  router.upstream.script((response, request) => {
    const isList = request.method === 'GET' && /models/.test(request.path);
    return isList
      ? status(404, {})(response, request)
      : (steps.length > 1 ? steps.shift() : steps[0])?.(response, request);
  });
  const whole = { modelId: `acme/${output}`, systemPrompt: 'About {topic}{/topic}', ...config };
  const version = publishedVersion({ parameters, config: JSON.parse(JSON.stringify(whole)) });
  const kind = openOpenRouterInstant(world.deps);
  const parsed = { ...version, config: kind.configSchema.parse(version.config) };
  return kind.run(parsed, { topic: TOPIC, ...input }, runContext(context));
}

const failing = (outcome: Outcome, cause: RegExp, problem = 'upstream_failed') =>
  expect(outcome).toMatchObject({ ok: false, problem, cause: expect.stringMatching(cause) });
const seen = (): string[] => router.upstream.seen.map(({ method, path }) => `${method} ${path.replace('/api/v1', '')}`);
const orders = (): string[] => seen().filter((line) => !line.includes('models'));
const picture = (b64: string): Step => status(200, { created: 1, data: [{ b64_json: b64 }], usage: { cost: 0.03 } });

describe('pictures', () => {
  test('come with the price that stood on the wire, digit for digit', async () => {
    const body = `{"created":1,"data":[{"b64_json":"${png.toString('base64')}"}],"usage":{"prompt_tokens":3,"completion_tokens":9,"cost":0.0300000000000000001}}`;
    const outcome = await run('image', [
      bytes([body], { type: 'application/json', headers: { 'x-generation-id': 'gen-1' } }),
    ]);
    expect(outcome).toMatchObject({
      ok: true,
      answer: { body: { json: { images: [{ width: 4, height: 2 }], usage: { total_tokens: 12 } } } },
      evidence: { costUsd: '0.0300000000000000001', own: { route: 'images', generationId: 'gen-1' } },
    });
    const sent = JSON.parse(router.upstream.seen.at(-1)?.body ?? '{}') as object;
    expect(sent).toEqual({ model: 'acme/image', prompt: `About ${TOPIC}` });
  });

  test.each<[string, Step, RegExp]>([
    ['HTML in the place of a picture', picture(btoa('<html><script>alert(1)</script></html>')), /^unusable_image/],
    ['SVG, which can hold scripts', picture(btoa('<svg xmlns="http://www.w3.org/2000/svg"/>')), /^unusable_image/],
    ['base64 that was cut', picture(png.toString('base64').slice(0, 41)), /^malformed/],
    ['a picture that was cut', picture(png.subarray(0, 45).toString('base64')), /^unusable_image: .*breaks off/],
    [
      'a picture of more than 10 MB',
      picture(Buffer.concat([png, Buffer.alloc(10_000_000), png]).toString('base64')),
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
    failing(await run('image', [step]), cause);
  });

  test('at an address are fetched from there, without the key', async () => {
    const trusting = openOutbound({ allowedOrigins: [router.upstream.url] });
    const open = router.open({ outbound: trusting });
    use(open);
    const outcome = await run('image', [
      status(200, { data: [{ url: `${router.upstream.url}/files/a.png` }] }),
      bytes([png], { type: 'image/png' }),
    ]);
    await open.close();
    await trusting.close();
    expect(outcome).toMatchObject({ ok: true, answer: { media: [{ contentType: 'image/png' }] } });
    expect(router.upstream.seen.at(-1)?.headers.authorization).toBeUndefined();
  });

  test('that may have been made are not ordered twice', async () => {
    failing(await run('image', [bytes(['{"da'], { type: 'application/json', cut: true })]), /^connection_failed/);
    expect(orders()).toEqual(['POST /images']);
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
    failing(await run('speech', [step]), cause);
  });

  test('is sold also where nobody tells what it did cost', async () => {
    const mp3 = Buffer.concat([Buffer.from('fffb10c4', 'hex'), Buffer.alloc(100)]);
    const answer = bytes([mp3], { type: 'audio/mpeg', headers: { 'x-generation-id': 'gen-1' } });
    const outcome = await run('speech', [answer, status(404, {})], { context: { deadlineMs: Date.now() + 5_000 } });
    expect(outcome).toMatchObject({ ok: true, evidence: { costUsd: null } });
    expect(orders().filter((line) => line.includes('/generation')).length).toBeGreaterThan(0);
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
    const outcome = await run('talker', [bytes([...events, end])], { config: { audio: { voice: 'alloy' } } });
    expect(outcome).toMatchObject({
      ok: true,
      answer: { body: { json: { response: 'Two words', audio: { contentType: 'audio/wav', sizeBytes: 4_044 } } } },
    });
    const sent = JSON.parse(router.upstream.seen.at(-1)?.body ?? '{}') as object;
    const audio = { voice: 'alloy', format: 'pcm16' };
    expect(sent).toMatchObject({ stream: true, modalities: ['text', 'audio'], audio });
  });
});

test('a chat that was to speak and only writes is not sold', async () => {
  const choice = { index: 0, delta: { content: 'Two words' }, finish_reason: 'stop' };
  const only = bytes([`data: ${JSON.stringify({ choices: [choice] })}\n\n`]);
  failing(await run('talker', [only], { config: { audio: { voice: 'alloy' } } }), /^empty_answer/);
});

describe('a film', () => {
  const job = (more: object = {}): Step => status(200, { id: 'job-1', polling_url: '/x', status: 'pending', ...more });
  const done = job({ status: 'completed', usage: { cost: 0.5 } });
  const mp4 = Buffer.concat([
    Buffer.from('\0\0\0\x10ftypisom\0\0\0\0', 'latin1'),
    Buffer.from('\0\0\0\x08mdat', 'latin1'),
  ]);
  const film = bytes([mp4], { type: 'video/mp4' });
  const deadlineMs = (): number => Date.now() + 5_000;

  test('is ordered once, waited for and fetched', async () => {
    const told: unknown[] = [];
    const context = { deadlineMs: deadlineMs(), report: (progress: object) => void told.push(progress) };
    const outcome = await run('video', [job(), job({ status: 'in_progress' }), done, film], { context });
    expect(outcome).toMatchObject({
      ok: true,
      answer: { body: { json: { video: { contentType: 'video/mp4', sizeBytes: mp4.length } } } },
      evidence: { costUsd: '0.5', own: { route: 'videos' } },
    });
    expect(orders()).toEqual([
      'POST /videos',
      'GET /videos/job-1',
      'GET /videos/job-1',
      'GET /videos/job-1/content?index=0',
    ]);
    expect(told.length).toBe(2);
  });

  test('that was ordered before a crash is not ordered again', async () => {
    const kept: Json[] = [];
    const checkpoint = {
      load: async () => kept.at(-1) ?? null,
      save: async (value: Json) => void kept.push(value),
    };
    const broken = await run('video', [job(), done, status(500, {})], {
      context: { deadlineMs: deadlineMs(), checkpoint },
    });
    expect(broken.ok).toBe(false);
    expect(kept).toEqual([{ videoJob: 'job-1' }]);
    const again = await run('video', [done, film], { context: { deadlineMs: deadlineMs(), checkpoint } });
    expect(again).toMatchObject({ ok: true, evidence: { costUsd: '0.5' } });
    expect(orders()).toEqual(['GET /videos/job-1', 'GET /videos/job-1/content?index=0']);
  });

  test('is waited for although the upstream does not answer for a moment', async () => {
    const outcome = await run('video', [job(), status(502, {}), done, film], { context: { deadlineMs: deadlineMs() } });
    expect(outcome.ok).toBe(true);
  });

  test('whose job never ends is given up with the time of the resource, and may have cost something', async () => {
    const context = { deadlineMs: Date.now() + 700 };
    const outcome = await run('video', [job(), job({ status: 'in_progress' })], { context });
    failing(outcome, /^deadline_passed/, 'upstream_timeout');
    expect(outcome.evidence.costUsd).toBe(null);
  });

  test('that cannot be asked for any more may have cost something', async () => {
    const refused = status(403, { error: { code: 403, message: 'no' } });
    const outcome = await run('video', [job(), refused], { context: { deadlineMs: deadlineMs() } });
    expect(outcome).toMatchObject({ ok: false, evidence: { costUsd: null } });
  });

  test.each<[string, Step[], RegExp]>([
    ['failed', [job(), job({ status: 'failed', error: 'out of film' })], /^job_failed: .*out of film/],
    ['cancelled', [job(), job({ status: 'cancelled' })], /^job_failed: .*cancelled/],
    ['expired', [job(), job({ status: 'expired' })], /^job_failed: .*expired/],
  ])('whose job is %s costs nothing', async (_end, steps, cause) => {
    const outcome = await run('video', steps, { context: { deadlineMs: deadlineMs() } });
    failing(outcome, cause);
    expect(outcome.evidence.costUsd).toBe('0');
  });

  test.each<[string, string]>([
    ['leads out of its folder', '../key'],
    ['holds a slash', 'a/b'],
    ['holds a question', 'a?b=c'],
    ['is encoded', '%2e%2e'],
    ['is empty', ''],
    ['is endless', 'a'.repeat(201)],
    ['breaks the line', 'a\r\nX-Evil: 1'],
  ])('whose job has an id that %s is not asked for', async (_what, id) => {
    failing(await run('video', [job({ id })]), /^malformed/);
    expect(orders()).toEqual(['POST /videos']);
  });

  test.each<[string, string]>([
    ['inside this network', 'https://10.0.0.1/film.mp4'],
    ['on this machine', 'https://127.0.0.1/film.mp4'],
    ['of the metadata of a cloud', 'http://169.254.169.254/latest/meta-data'],
    ['of a file', 'file:///etc/passwd'],
    ['of a port of databases', 'https://example.com:5432/'],
  ])('is not fetched from an address %s', async (_what, location) => {
    const redirect: Step = (response) => void response.writeHead(302, { location }).end();
    failing(await run('video', [job(), done, redirect], { context: { deadlineMs: deadlineMs() } }), /^malformed/);
  });

  test('is fetched where the upstream keeps it, without the key', async () => {
    const trusting = openOutbound({ allowedOrigins: [router.upstream.url] });
    const open = router.open({ outbound: trusting });
    use(open);
    const redirect: Step = (response) =>
      void response.writeHead(302, { location: `${router.upstream.url}/f.mp4` }).end();
    const outcome = await run('video', [job(), done, redirect, film], { context: { deadlineMs: deadlineMs() } });
    await open.close();
    await trusting.close();
    expect(outcome.ok).toBe(true);
    expect(router.upstream.seen.at(-1)?.headers.authorization).toBeUndefined();
  });

  test.each<[string, Step, RegExp]>([
    ['a page', bytes(['<html>'], { type: 'text/html' }), /^malformed/],
    ['a page that calls itself a film', bytes(['<html>'], { type: 'video/mp4' }), /^unusable_video/],
    ['a picture', bytes([png], { type: 'video/mp4' }), /^unusable_video/],
    ['a film without end', endless('video/mp4'), /^unusable_video|^answer_too_large/],
  ])('is not sold where there is %s', async (_what, step, cause) => {
    failing(await run('video', [job(), done, step], { context: { deadlineMs: Date.now() + 20_000 } }), cause);
  });
});

describe('what else is no answer', () => {
  const vector = (embedding: unknown): Step => status(200, { object: 'list', data: [{ embedding }] });
  const ranks = (...results: object[]): Step => status(200, { results });
  const documents = { config: { rerank: { documents: 'source' } }, input: { source: 'one\ntwo' } };
  const sound = { config: { transcription: { audio: 'source' } }, input: { source: 'data:audio/wav;base64,AAAA' } };

  test.each<[string, string, Step, Call]>([
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
  ])('%s', async (_what, output, step, call) => {
    failing(await run(output, [step], call), /^malformed/);
  });

  test('a transcript of silence', async () => {
    failing(await run('transcription', [status(200, { text: ' \n' })], sound), /^empty_answer/);
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
    const config = { rerank: { documents: 'source' }, transcription: { audio: 'source' } };
    const input = {
      source: output === 'rerank' ? TOPIC : `data:audio/wav;base64,${Buffer.from(TOPIC.repeat(9)).toString('base64')}`,
    };
    const only = output === 'rerank' || output === 'transcription' ? { [output]: config[output] } : {};
    const outcome = await run(output, [repeat], { config: only, input });
    expect(outcome.ok).toBe(false);
    const told = JSON.stringify([outcome, world.told, router.logged]);
    expect(
      [CANARY_KEY, TOPIC, Buffer.from(TOPIC).toString('base64').slice(0, 30)].filter((secret) => told.includes(secret)),
    ).toEqual([]);
  },
);

/** Bytes until nobody reads on. */
function endless(type: string): Step {
  return (response) => {
    response.writeHead(200, { 'content-type': type });
    const chunk = Buffer.alloc(1_000_000, 1);
    const write = (): void => {
      while (!response.destroyed && response.write(chunk)) {
        // The next one at once.
      }
      response.once('drain', write);
    };
    write();
  };
}
