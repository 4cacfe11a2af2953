import { randomBytes } from 'node:crypto';
import { beforeEach, expect, test } from 'vitest';
import { systemClock } from '#kit/index.ts';
import { publishedVersion } from '../../../tests/support/execution-deps.ts';
import { insertCall } from '../../../tests/support/insert-call.ts';
import { makeAccount, makeOffer, pay, schemeList } from '../../../tests/support/pay.ts';
import { quietLog } from '../../../tests/support/test-chain.ts';
import { useTestDatabase } from '../../../tests/support/test-database.ts';
import type { GatewayDeps } from '../gateway-deps.ts';
import { sendCallbacks } from './send-callbacks.ts';

const database = useTestDatabase();
const offer = makeOffer();

beforeEach(() => database.current.system.query('DELETE FROM long_calls'));

type Post = GatewayDeps['callbacks']['post'];

function depsOf(post: Post): GatewayDeps {
  return {
    database: database.current,
    clock: systemClock,
    log: quietLog,
    kinds: new Map(),
    payments: { ...schemeList, chains: new Map(), log: quietLog },
    published: { findVersion: async () => publishedVersion() },
    publicUrl: 'https://farebox.test',
    callbacks: { key: randomBytes(32), check: () => {}, post },
  } as unknown as GatewayDeps;
}

/** A call that has failed without a charge, with somebody who wants to hear of it. */
async function makeEnded(url: string): Promise<string> {
  const payment = await pay(makeAccount(), offer);
  const callId = await insertCall(database.current, { state: 'failed', payment, offer });
  const { system } = database.current;
  await system.query('UPDATE calls SET runs_long = true, answer = NULL, settled_at = NULL WHERE id = $1', [callId]);
  const ended = { code: 'upstream_failed', detail: 'It failed.', next: 'Ask again.', charged: false };
  await system.query(
    `INSERT INTO long_calls (call_id, resource, is_pinned, token_digest, ended, callback_url, callback_due_at)
     VALUES ($1, 'r', false, 'd', $2, $3, now())`,
    [callId, JSON.stringify(ended), url],
  );
  return callId;
}

async function readCallback(callId: string) {
  const { rows } = await database.current.system.query<{ tries: number; url: string | null; due: Date | null }>(
    'SELECT callback_tries AS tries, callback_url AS url, callback_due_at AS due FROM long_calls WHERE call_id = $1',
    [callId],
  );
  const [row] = rows;
  if (!row) {
    throw new Error('The call is gone.');
  }
  return row;
}

async function readClock(): Promise<number> {
  const { rows } = await database.current.system.query<{ now: Date }>('SELECT now()');
  return rows[0]?.now.getTime() ?? 0;
}

const letTimePass = (callId: string) =>
  database.current.system.query('UPDATE long_calls SET callback_due_at = now() WHERE call_id = $1', [callId]);

/** After each try but the last one. */
const pausesSeconds = [20, 60, 180, 540, 1_620, 4_860, 14_580, 21_600, 21_600];

test.each<[string, number | null]>([
  ['answers with an error', 500],
  ['redirects', 302],
  ['does not answer', null],
])('a receiver that %s is tried ten times, ever more seldom, and then given up', async (_, answered) => {
  const sent: string[] = [];
  const deps = depsOf(async (url) => {
    sent.push(url);
    return answered;
  });
  const callId = await makeEnded('https://buyer.example/hook');
  for (const [index, pause] of pausesSeconds.entries()) {
    const before = await readClock();
    expect(await sendCallbacks(deps)).toBe(1);
    const after = await readClock();
    // Nothing is due until the pause is over.
    expect(await sendCallbacks(deps)).toBe(0);
    const { due, ...told } = await readCallback(callId);
    expect(told).toEqual({ tries: index + 1, url: 'https://buyer.example/hook' });
    const takenAt = Number(due?.getTime()) - pause * 1_000;
    expect([takenAt >= before, takenAt <= after]).toEqual([true, true]);
    await letTimePass(callId);
  }
  expect(await sendCallbacks(deps)).toBe(1);
  expect(await readCallback(callId)).toEqual({ tries: 10, url: null, due: null });
  expect(await sendCallbacks(deps)).toBe(0);
  expect(sent).toHaveLength(10);
});

test.each([410, 200, 204])(
  'a receiver that answers %d is not called again, and its URL is forgotten',
  async (answered) => {
    const deps = depsOf(async () => answered);
    const callId = await makeEnded('https://buyer.example/secret-of-the-buyer');
    expect(await sendCallbacks(deps)).toBe(1);
    expect(await readCallback(callId)).toEqual({ tries: 1, url: null, due: null });
    expect(await sendCallbacks(deps)).toBe(0);
  },
);

test('processes that look at once make each try once, and one try that breaks holds up no other', async () => {
  const tried: string[] = [];
  const post: Post = async (url) => {
    tried.push(url);
    if (url.endsWith('/broken')) {
      throw new Error('The network of the test broke.');
    }
    return 204;
  };
  const urls = ['a', 'broken', 'c', 'd'].map((name) => `https://buyer.example/${name}`);
  const calls = await Promise.all(urls.map(makeEnded));
  const made = await Promise.all([1, 2, 3].map(() => sendCallbacks(depsOf(post))));
  expect(made.reduce((sum, count) => sum + count, 0)).toBe(urls.length);
  expect(tried.toSorted()).toEqual(urls);
  const told = await Promise.all(calls.map(readCallback));
  expect(told.map(({ tries, url }) => [tries, url])).toEqual([
    [1, null],
    [1, urls[1]],
    [1, null],
    [1, null],
  ]);
});
