import { Pool } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startScriptedUpstream, type ScriptedUpstream } from '../../tests/support/scripted-upstream.ts';
import { openAnswer, readAnswerText } from './open-answer.ts';

let upstream: ScriptedUpstream;
beforeAll(async () => {
  upstream = await startScriptedUpstream();
});
afterAll(() => upstream.close());

const toAsked = (origin: string) => ({
  origin,
  path: '/',
  headers: {},
  body: 'asked',
  headersTimeout: 0,
  bodyTimeout: 0,
});
const never = new AbortController().signal;

test('a request whose connection never comes is over as soon as nobody waits for it', async () => {
  const pool = new Pool('http://127.0.0.1:9', { connect: () => {} });
  const waiting = new AbortController();
  const answered = openAnswer(pool, toAsked('http://127.0.0.1:9'), waiting.signal);
  waiting.abort();
  await expect(answered).rejects.toThrow('Nobody waits');
  await pool.destroy();
});

test('what came before anybody reads is read in its order, and its connection serves the next one', async () => {
  const pool = new Pool(upstream.url, { connections: 1 });
  upstream.script((response) => {
    response.write('one ');
    response.write('two ');
    response.end('three');
  });
  for (const _ of [1, 2]) {
    const { status, body } = await openAnswer(pool, toAsked(upstream.url), never);
    await new Promise<void>((resolve) => body.whenOver(resolve));
    expect([status, await readAnswerText(body, 100), body.isOver]).toEqual([200, 'one two three', true]);
  }
  await pool.close();
});

test('a paused body is told nothing more until it goes on; one that nobody wants breaks off', async () => {
  const pool = new Pool(upstream.url, { connections: 1 });
  const { promise: mayEnd, resolve: letEnd } = Promise.withResolvers<void>();
  upstream.script(async (response) => {
    response.write('one');
    await mayEnd;
    response.end('two');
  });
  const { body } = await openAnswer(pool, toAsked(upstream.url), never);
  const told: string[] = [];
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  body.read({
    onData: (chunk) => {
      told.push(chunk.toString());
      body.pause();
    },
    onEnd: () => resolve(),
    onError: () => resolve(),
  });
  await expect.poll(() => told).toEqual(['one']);
  letEnd();
  // Another request to the same server: what is on its way to the paused one has left before it is answered.
  await fetch(upstream.url, { method: 'POST' }).then((response) => response.text());
  expect(told).toEqual(['one']);
  body.resume();
  await expect.poll(() => told).toEqual(['one', 'two']);
  body.discard();
  await ended;
  await pool.destroy();
});

test('a reader who fails has failed once, and nothing more comes', async () => {
  const pool = new Pool(upstream.url, { connections: 1 });
  upstream.script((response) => {
    response.write('one');
    setImmediate(() => response.end('two'));
  });
  const { body } = await openAnswer(pool, toAsked(upstream.url), never);
  const told: string[] = [];
  const { promise: over, resolve } = Promise.withResolvers<void>();
  body.whenOver(resolve);
  body.read({
    onData: () => {
      told.push('data');
      throw new Error('the reader');
    },
    onEnd: () => told.push('end'),
    onError: (error) => told.push(error.message),
  });
  await over;
  expect(told).toEqual(['data', 'the reader']);
  await pool.destroy();
});

test('a reader who pauses at each piece for a moment is told everything, and no empty piece', async () => {
  const pool = new Pool(upstream.url, { connections: 1 });
  const sent = Array.from({ length: 40 }, (_, index) => String.fromCharCode(97 + (index % 26)).repeat(50_000));
  upstream.script((response) => {
    for (const piece of sent) {
      response.write(piece);
    }
    response.end();
  });
  const { body } = await openAnswer(pool, toAsked(upstream.url), never);
  const told: string[] = [];
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
  body.read({
    onData: (chunk) => {
      told.push(chunk.toString());
      body.pause();
      void Promise.resolve().then(() => body.resume());
    },
    onEnd: resolve,
    onError: reject,
  });
  await ended;
  expect(told.join('') === sent.join('')).toBe(true);
  expect(told).not.toContain('');
  await pool.close();
});
