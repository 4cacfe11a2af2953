import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { payFor, send } from './support/paid-request.ts';
import {
  bytes,
  event,
  startScriptedUpstream,
  status,
  type ScriptedUpstream,
  type Step,
} from './support/scripted-upstream.ts';
import { useApp, type Creator } from './support/start-app.ts';
import { chunk, completion, stream } from './support/upstream-shapes/shape.ts';

/** An upstream of the creator's that does its worst. Whatever it sends: a usable answer for its price, or nothing for nothing. */

const environment: Record<string, string> = {};
let upstream: ScriptedUpstream;
beforeAll(async () => {
  upstream = await startScriptedUpstream();
  environment['UPSTREAM_ORIGINS'] = upstream.url;
});
const app = useApp(environment);
afterAll(() => upstream.close());

let creator: Creator;
let count = 0;
beforeAll(async () => {
  creator = await app.current.makeCreator('ada', { openRouterKey: null });
});
beforeEach(() => {
  count += 1;
});

async function publish(more: object = {}): Promise<{ id: string; url: string }> {
  return creator.publish({
    slug: `hostile-${count}`,
    kind: 'prompt_template',
    parameters: [{ name: 'topic', description: 'Any.', maxLength: 200 }],
    config: {
      model: 'm',
      systemPrompt: 'Write about {topic}{/topic}.',
      maxTokens: 120,
      upstream: { type: 'chat_completions', baseUrl: `${upstream.url}/v1`, apiKeySecret: null },
    },
    ...more,
  });
}

/** Buys once from an upstream that does this; then it is well, and the same payment is sent again. */
async function buy(step: Step, more: object = {}) {
  const { url, id } = await publish(more);
  const buyer = await app.current.makeBuyer();
  const payment = await payFor(buyer, url);
  const spent = async () => Number(10_000_000n - (await app.current.balanceOf(buyer.address)));
  upstream.script(step);
  const answer = await send(url, { payment, body: { topic: 'ore' } });
  const paid = await spent();
  const asked = upstream.seen.length;
  upstream.script(events(...stream('Well again.')));
  const later = await send(url, { payment, body: { topic: 'ore' } });
  const usage = (await creator.call('GET', `/api/usage?resourceId=${id}`)).body['items'] as Record<string, unknown>[];
  return { answer, paid, later, paidInAll: await spent(), asked, usage };
}

const events = (...pieces: unknown[]): Step =>
  bytes(pieces.map((piece) => (typeof piece === 'string' ? piece : event(piece))));

const comment = ': still here\n\n';
const done = 'data: [DONE]\n\n';
const spoken = chunk({ role: 'assistant', content: 'Ore.' });
const finished = chunk({}, 'stop');

/** Sends until its reader has gone. */
const endless =
  (piece: string | Buffer, type = 'text/event-stream', first: string = ''): Step =>
  async (response) => {
    response.writeHead(200, { 'content-type': type });
    response.write(first);
    while (!response.destroyed) {
      if (!response.write(piece)) {
        await new Promise<void>((resolve) => {
          response.once('drain', resolve);
          response.once('close', resolve);
        });
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  };

const raw =
  (head: string, body: string): Step =>
  (response) => {
    response.socket?.end(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n${body}`);
  };

const compressed =
  (encoding: string, body: Buffer): Step =>
  (response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': encoding });
    response.end(body);
  };

const redirect =
  (code: number): Step =>
  (response) => {
    response.writeHead(code, { location: `${upstream.url}/elsewhere` });
    response.end();
  };

const whole = JSON.stringify(completion({ content: 'Ore.' }));
const bomb = Buffer.alloc(64 * 1024 * 1024, 0x20);
const patient = { timeoutSeconds: 5 };

describe('no answer, and nothing is charged', () => {
  test.each<[string, () => Step, number, string, object?]>([
    ['comments without end', () => endless(comment), 504, 'upstream_timeout', patient],
    [
      'one event, then comments without end',
      () => endless(comment, undefined, event(spoken)),
      504,
      'upstream_timeout',
      patient,
    ],
    ['blank lines without end', () => endless('\n'.repeat(1_000)), 504, 'upstream_timeout', patient],
    ['a head and never a body', () => bytes([], { hang: true }), 504, 'upstream_timeout', patient],
    ['half an answer, then silence', () => bytes([event(spoken)], { hang: true }), 504, 'upstream_timeout', patient],
    ['events that say nothing, without end', () => endless(event(chunk({}))), 502, 'upstream_failed', patient],
    ['one event without an end', () => endless('x'.repeat(65_536), undefined, 'data: {"a":"'), 502, 'upstream_failed'],
    [
      'JSON without an end',
      () => endless(' '.repeat(65_536), 'application/json', '{"choices":['),
      502,
      'upstream_failed',
    ],
    ['text without an end', () => endless(event(chunk({ content: 'x'.repeat(65_536) }))), 502, 'upstream_failed'],
    [
      'an error that never ends',
      () => (response, seen) => {
        response.writeHead(400, { 'content-type': 'application/json' });
        return endlessBody(response, seen);
      },
      502,
      'upstream_failed',
    ],
    [
      'a body of chunks that breaks off',
      () => raw('content-type: text/event-stream\r\ntransfer-encoding: chunked', `ffff\r\n${event(spoken)}`),
      502,
      'upstream_failed',
    ],
    [
      'chunks whose lengths are no numbers',
      () => raw('content-type: text/event-stream\r\ntransfer-encoding: chunked', `zz\r\n${event(spoken)}\r\n`),
      502,
      'upstream_failed',
    ],
    [
      'less than its length says',
      () => raw(`content-type: application/json\r\ncontent-length: ${whole.length + 50}`, whole),
      502,
      'upstream_failed',
    ],
    [
      'two lengths',
      () => raw(`content-type: application/json\r\ncontent-length: 1\r\ncontent-length: ${whole.length}`, whole),
      502,
      'upstream_failed',
    ],
    [
      'heads without an end',
      () => (response) => void response.socket?.write(`HTTP/1.1 200 OK\r\n${'x-a: b\r\n'.repeat(100_000)}`),
      502,
      'upstream_failed',
    ],
    [
      'what is no HTTP',
      () => (response) => void response.socket?.end('SSH-2.0-OpenSSH_9.6\r\n'),
      502,
      'upstream_failed',
    ],
    ['an error with status 200', () => status(200, { error: { message: 'no', code: 500 } }), 502, 'upstream_failed'],
    ['an error as an event', () => events(spoken, { error: { message: 'no' } }), 502, 'upstream_failed'],
    ['[DONE] and nothing else', () => events(done, done), 502, 'upstream_failed'],
    ['text after [DONE] only', () => events(done, spoken, finished), 502, 'upstream_failed'],
    ['HTML', () => bytes(['<html>'], { type: 'text/html' }), 502, 'upstream_failed'],
    [
      'a picture instead of JSON',
      () => bytes([Buffer.from([0x89, 0x50, 0x4e, 0x47])], { type: 'image/png' }),
      502,
      'upstream_failed',
    ],
    [
      'bytes that are no text',
      () => bytes([Buffer.alloc(1_000, 0xff)], { type: 'application/octet-stream' }),
      502,
      'upstream_failed',
    ],
    ['a bomb of gzip', () => compressed('gzip', gzipSync(bomb)), 502, 'upstream_failed'],
    ['a bomb of brotli', () => compressed('br', brotliCompressSync(bomb)), 502, 'upstream_failed'],
    ['a bomb of deflate', () => compressed('deflate', deflateSync(bomb)), 502, 'upstream_failed'],
    ...[301, 302, 303, 307, 308].map((code): [string, () => Step, number, string] => [
      `a redirect with ${code}`,
      () => redirect(code),
      502,
      'upstream_failed',
    ]),
    ['status 204', () => (response) => void response.writeHead(204).end(), 502, 'upstream_failed'],
    ['choices that are null', () => status(200, { choices: null }), 502, 'upstream_failed'],
    ['choices without an end', () => events({ choices: [] }, { choices: [] }, done), 502, 'upstream_failed'],
    [
      'an answer nested a hundred thousand deep',
      () => bytes([`${'['.repeat(100_000)}${']'.repeat(100_000)}`], { type: 'application/json' }),
      502,
      'upstream_failed',
    ],
  ])('%s', async (_what, step, code, problem, more = {}) => {
    const { answer, paid, later, paidInAll, usage } = await buy(step(), more);
    expect(answer).toMatchObject({ status: code, body: { code: problem, charged: false } });
    expect(paid).toBe(0);
    expect(usage.at(-1)).toMatchObject({ status: 'failed', earnedUsdc: '0' });
    expect(later).toMatchObject({ status: 200, body: { response: 'Well again.' } });
    expect(paidInAll).toBe(10_000);
  });

  test('a redirect is followed by nobody', async () => {
    await buy(redirect(307));
    expect(upstream.seen.filter(({ path }) => path === '/elsewhere')).toEqual([]);
  });
});

async function endlessBody(response: Parameters<Step>[0], _seen: unknown): Promise<void> {
  while (!response.destroyed) {
    response.write('x'.repeat(65_536));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('a usable answer for its price, once', () => {
  const usage = (given: string) => `data: {"choices":[],"usage":${given}}\n\n`;

  test.each<[string, () => Step]>([
    ['[DONE] twice', () => events(spoken, finished, done, done)],
    ['text after [DONE]', () => events(spoken, finished, done, chunk({ content: ' And more.' }))],
    [
      'gigabytes after [DONE]',
      () => endless('x'.repeat(65_536), undefined, `${event(spoken)}${event(finished)}${done}`),
    ],
    ['comments between all events', () => events(comment, spoken, comment, comment, finished, comment, done, comment)],
    ['CR alone as line ends', () => bytes([`${event(spoken)}${event(finished)}${done}`.replaceAll('\n', '\r')])],
    [
      'CRLF and a byte order mark',
      () => bytes([`\uFEFF${event(spoken)}${event(finished)}${done}`.replaceAll('\n', '\r\n')]),
    ],
    ['names of events, ids and retry', () => events(`event: x\nid: 1\nretry: 1\n${event(spoken)}`, finished, done)],
    ['JSON behind blanks that keep the connection', () => bytes([' \n', ' \n', whole], { type: 'application/json' })],
    ['a stream that is called JSON', () => bytes([event(spoken), event(finished), done], { type: 'application/json' })],
    [
      'a stream without a type',
      () => (response) => void response.writeHead(200).end(`${event(spoken)}${event(finished)}`),
    ],
    [
      'usage that is not a number',
      () =>
        events(
          spoken,
          finished,
          usage('{"prompt_tokens":"NaN","completion_tokens":null,"total_tokens":{},"cost":"NaN"}'),
          done,
        ),
    ],
    [
      'usage below nothing',
      () => events(spoken, finished, usage('{"prompt_tokens":-5,"completion_tokens":-1e9,"cost":-12.5}'), done),
    ],
    [
      'usage beyond all numbers',
      () =>
        events(
          spoken,
          finished,
          usage('{"prompt_tokens":1e400,"completion_tokens":9007199254740993,"cost":1e999}'),
          done,
        ),
    ],
    ['usage that is a list', () => events(spoken, finished, usage('[1,2]'), done)],
    [
      'a cost of many digits',
      () =>
        events(spoken, finished, usage(`{"prompt_tokens":1,"completion_tokens":1,"cost":0.${'1'.repeat(500)}}`), done),
    ],
    [
      'members that belong to objects',
      () => events({ ...spoken, __proto__: { x: 1 }, constructor: { y: 1 } }, finished, done),
    ],
  ])('%s', async (_what, step) => {
    const { answer, paid, later, paidInAll, asked, usage: log } = await buy(step());
    expect(answer).toMatchObject({ status: 200, body: { response: 'Ore.', receipt: { paidUsdc: '0.01' } } });
    expect([paid, paidInAll, asked]).toEqual([10_000, 10_000, 1]);
    expect(later.body).toEqual(answer.body);
    expect(log).toMatchObject([{ status: 'success', earnedUsdc: '0.01' }]);
    const { inputTokens, outputTokens, costUsd } = log[0] ?? {};
    for (const tokens of [inputTokens, outputTokens]) {
      expect(tokens === null || (Number.isSafeInteger(tokens) && Number(tokens) >= 0)).toBe(true);
    }
    expect(costUsd === null || /^\d+(\.\d+)?$/.test(String(costUsd))).toBe(true);
  });
});

test('whoever takes gigabytes from it leaves no memory behind', async () => {
  const { url } = await publish();
  const buyer = await app.current.makeBuyer();
  upstream.script(endless(event(chunk({ content: 'x'.repeat(65_536) }))));
  const take = async () =>
    expect(await send(url, { payment: await payFor(buyer, url), body: { topic: 'ore' } })).toMatchObject({
      status: 502,
    });
  await take();
  expect(upstream.seen).toHaveLength(1);
});
