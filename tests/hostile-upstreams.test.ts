import { brotliCompressSync, constants, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import {
  comment,
  countEndless,
  done,
  endless,
  events,
  finished,
  spoken,
  useHostileUpstream,
} from './support/hostile-upstream.ts';
import { payFor, send } from './support/paid-request.ts';
import { bytes, event, status, type Step } from './support/scripted-upstream.ts';
import { chunk, completion, stream } from './support/upstream-shapes/shape.ts';

/** An upstream that does its worst: no usable answer, and nothing for nothing. */

const world = useHostileUpstream();

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
    response.writeHead(code, { location: `${world.upstream.url}/elsewhere` });
    response.end();
  };

const whole = JSON.stringify(completion({ content: 'Ore.' }));
const bomb = Buffer.alloc(64 * 1024 * 1024, 0x20);
const slowly = { paceMs: 1 };

describe('no answer, and nothing is charged', () => {
  test.each<[string, () => Step]>([
    ['one event without an end', () => endless('x'.repeat(65_536), { first: 'data: {"a":"' })],
    ['JSON without an end', () => endless(' '.repeat(65_536), { type: 'application/json', first: '{"choices":[' })],
    ['text without an end', () => endless(event(chunk({ content: 'x'.repeat(65_536) })))],
    ['an error that never ends', () => endless('x'.repeat(65_536), { type: 'application/json', code: 400 })],
    [
      'a body of chunks that breaks off',
      () => raw('content-type: text/event-stream\r\ntransfer-encoding: chunked', `ffff\r\n${event(spoken)}`),
    ],
    [
      'chunks whose lengths are no numbers',
      () => raw('content-type: text/event-stream\r\ntransfer-encoding: chunked', `zz\r\n${event(spoken)}\r\n`),
    ],
    [
      'less than its length says',
      () => raw(`content-type: application/json\r\ncontent-length: ${whole.length + 50}`, whole),
    ],
    [
      'two lengths',
      () => raw(`content-type: application/json\r\ncontent-length: 1\r\ncontent-length: ${whole.length}`, whole),
    ],
    [
      'heads without an end',
      () => (response) => void response.socket?.write(`HTTP/1.1 200 OK\r\n${'x-a: b\r\n'.repeat(100_000)}`),
    ],
    ['what is no HTTP', () => (response) => void response.socket?.end('SSH-2.0-OpenSSH_9.6\r\n')],
    ['an error with status 200', () => status(200, { error: { message: 'no', code: 500 } })],
    ['an error as an event', () => events(spoken, { error: { message: 'no' } })],
    ['[DONE] and nothing else', () => events(done, done)],
    ['text after [DONE] only', () => events(done, spoken, finished)],
    ['HTML', () => bytes(['<html>'], { type: 'text/html' })],
    ['a picture instead of JSON', () => bytes([Buffer.from([0x89, 0x50, 0x4e, 0x47])], { type: 'image/png' })],
    ['bytes that are no text', () => bytes([Buffer.alloc(1_000, 0xff)], { type: 'application/octet-stream' })],
    ['a bomb of gzip', () => compressed('gzip', gzipSync(bomb))],
    [
      'a bomb of brotli',
      () => compressed('br', brotliCompressSync(bomb, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })),
    ],
    ['a bomb of deflate', () => compressed('deflate', deflateSync(bomb))],
    ...[301, 302, 303, 307, 308].map((code): [string, () => Step] => [`a redirect with ${code}`, () => redirect(code)]),
    ['status 204', () => (response) => void response.writeHead(204).end()],
    ['choices that are null', () => status(200, { choices: null })],
    ['choices without an end', () => events({ choices: [] }, { choices: [] }, done)],
    [
      'an answer nested a hundred thousand deep',
      () => bytes([`${'['.repeat(100_000)}${']'.repeat(100_000)}`], { type: 'application/json' }),
    ],
  ])('%s', async (_what, step) => {
    const { answer, paid, later, paidInAll, usage } = await world.buy(step());
    expect(answer).toMatchObject({ status: 502, body: { code: 'upstream_failed', charged: false } });
    expect(paid).toBe(0);
    expect(usage.at(-1)).toMatchObject({ status: 'failed', earnedUsdc: '0' });
    expect(later).toMatchObject({ status: 200, body: { response: 'Well again.' } });
    expect(paidInAll).toBe(10_000);
  });

  test('a redirect is followed by nobody', async () => {
    const { asked } = await world.buy(redirect(307));
    expect(new Set(asked)).toEqual(new Set(['/v1/chat/completions']));
  });
});

/** Each of them ends only by the time of the call. Three are asked together: so many new wallets of a network are trusted. */
const silent: Record<string, Step>[] = [
  {
    'a head and never a body': bytes([], { hang: true }),
    'half an answer, then silence': bytes([event(spoken)], { hang: true }),
    'comments without end': endless(comment, slowly),
  },
  {
    'one event, then comments without end': endless(comment, { ...slowly, first: event(spoken) }),
    'blank lines without end': endless('\n'.repeat(1_000), slowly),
    'events that say nothing, without end': endless(event(chunk({})), slowly),
  },
];

test.each(silent.map((steps) => [Object.keys(steps).join('; '), steps] as const))(
  'given up in time, and nothing is charged: %s',
  async (_names, steps) => {
    const { upstream } = world;
    upstream.script((response, request) => {
      const named = Object.entries(steps).find(([name]) => request.body.includes(name));
      return named?.[1](response, request);
    });
    const bought = await Promise.all(
      Object.keys(steps).map(async (topic) => {
        const { url } = await world.publish({ timeoutSeconds: 5 });
        const buyer = await world.app.makeBuyer();
        const payment = await payFor(buyer, url);
        const again = () => send(url, { payment, body: { topic } });
        return { topic, buyer, again, answer: await again() };
      }),
    );
    upstream.script(events(...stream('Well again.')));
    for (const { topic, buyer, again, answer } of bought) {
      const told = { topic, status: answer.status, body: answer.body };
      expect(told).toMatchObject({ topic, status: 504, body: { code: 'upstream_timeout', charged: false } });
      expect(await again()).toMatchObject({ status: 200, body: { response: 'Well again.' } });
      expect(await world.app.balanceOf(buyer.address)).toBe(9_990_000n);
    }
  },
);

test('whoever sends without end is left', async () => {
  await world.buy(endless(event(chunk({ content: 'x'.repeat(65_536) }))));
  await world.buy(endless('x'.repeat(65_536), { code: 500 }));
  await expect.poll(countEndless).toBe(0);
});
