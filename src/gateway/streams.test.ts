import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listen } from '#database/index.ts';
import type { AnswerPart, PartsEnd } from '#resources/index.ts';
import { noEvidence } from '#resources/index.ts';
import { insertCall } from '../../tests/support/insert-call.ts';
import { makeAccount, makeOffer, pay } from '../../tests/support/pay.ts';
import { quietLog } from '../../tests/support/test-chain.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import type { PlacedPart, StreamPlace } from './call-request.ts';
import { followStream } from './follow-stream.ts';
import { keepParts } from './keep-parts.ts';
import { keepStreams, STREAMS_KEPT, type StreamKeeper } from './keep-streams.ts';
import { placeParts } from './place-parts.ts';
import { toStoredParts } from './stored-answer.ts';

const database = useTestDatabase();
let streams: StreamKeeper;
let listening: Awaited<ReturnType<typeof listen>>;

beforeAll(async () => {
  streams = keepStreams({ database: database.current, log: quietLog });
  const onKept = () => streams.onKept();
  listening = await listen({ url: database.url, channels: [STREAMS_KEPT], onNotify: onKept, onReconnect: onKept });
});
afterAll(() => listening.close());

const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 9 }), fc.constantFrom('😀', '\u0000', '\\u0041', '\n\n'));
const part: fc.Arbitrary<AnswerPart> = fc.oneof(
  { weight: 5, arbitrary: text.map((piece) => ({ type: 'delta' as const, text: piece })) },
  { weight: 1, arbitrary: fc.nat(9).map((tokens) => ({ type: 'usage' as const, usage: { tokens } })) },
);
const parts = fc.array(part, { maxLength: 12 });

/** What a reader has in the end: the text, and what stands between it. */
function read(placed: readonly PlacedPart[]): unknown[] {
  const all: unknown[] = [];
  for (const { part: one } of placed) {
    if (one.type === 'delta') {
      const last = all.at(-1);
      all.push(typeof last === 'string' ? `${String(all.pop())}${one.text}` : one.text);
    } else if (one.type !== 'begin') {
      all.push(one);
    }
  }
  return all.filter((one) => one !== '');
}

/** What was read up to a place, and what is read behind it, as one reading. */
const join = (before: readonly PlacedPart[], after: readonly PlacedPart[]) =>
  read([...before.filter(({ part: one }) => one.type !== 'done'), ...after]);

test('any place of a whole stream is taken up with nothing lost and nothing twice', () => {
  fc.assert(
    fc.property(parts, fc.nat(), (all, cut) => {
      const whole = { run: 1, parts: all, json: { model: 'm' } };
      const placed = [...placeParts(whole, null)];
      const before = placed.slice(0, cut % placed.length);
      const rest = [...placeParts(whole, before.at(-1) ?? null)];
      expect(join(before, rest)).toEqual(read(placed));
      // As it is kept, with its text in one piece; and for somebody who stands in another run.
      const { body } = toStoredParts(
        { status: 200, contentType: 'text/plain', headers: {}, media: [] },
        { ...whole, evidence: noEvidence },
      );
      const kept = body.type === 'parts' ? { ...whole, parts: body.parts } : whole;
      expect(join(before, [...placeParts(kept, before.at(-1) ?? null)])).toEqual(read(placed));
      expect([...placeParts(kept, { run: 2, position: 1 })][0]?.part.type).toBe('begin');
    }),
    { numRuns: 1_000 },
  );
});

async function openCall(): Promise<string> {
  const offer = makeOffer();
  const payment = await pay(makeAccount(), offer);
  const callId = await insertCall(database.current, { state: 'fulfilling', payment, offer });
  await database.current.system.query('UPDATE calls SET runs = 1, answer = NULL WHERE id = $1', [callId]);
  return callId;
}

async function follow(callId: string, after: StreamPlace | null): Promise<PlacedPart[]> {
  const placed: PlacedPart[] = [];
  for await (const one of followStream({ database: database.current, streams }, callId, { after })) {
    placed.push(one);
  }
  return placed;
}

test('any place of a running stream is taken up from what is kept of it, whatever is written when', async () => {
  const scenario = fc.record({ all: parts, pauses: fc.array(fc.boolean()), cut: fc.nat() });
  const run = async ({ all, pauses, cut }: { all: AnswerPart[]; pauses: boolean[]; cut: number }): Promise<void> => {
    const callId = await openCall();
    const whole = { run: 1, parts: all, json: {} };
    const placed = [...placeParts(whole, null)];
    const after = placed[cut % placed.length] ?? null;
    const following = [follow(callId, null), follow(callId, after)];
    const kept = streams.open({ callId, run: 1 });
    for (const [index, one] of all.entries()) {
      await kept.add(one);
      if (pauses[index]) {
        await streams.untilKept();
      }
    }
    await kept.close();
    const stored = toStoredParts(
      { status: 200, contentType: 'text/plain', headers: {}, media: [] },
      { ...whole, evidence: noEvidence },
    );
    await database.current.system.query(`UPDATE calls SET state = 'settled', answer = $2 WHERE id = $1`, [
      callId,
      JSON.stringify(stored),
    ]);
    kept.announce();
    const [fromStart = [], behind = []] = await Promise.all(following);
    expect(read(fromStart)).toEqual(read(placed));
    expect(join(placed.slice(0, (cut % placed.length) + 1), behind)).toEqual(read(placed));
  };
  await fc.assert(
    fc.asyncProperty(fc.array(scenario, { minLength: 15, maxLength: 15 }), async (scenarios) => {
      await Promise.all(scenarios.map(run));
    }),
    { numRuns: 3 },
  );
});

describe('who follows a stream from what is kept of it', () => {
  const deps = () => ({ database: database.current, streams });

  test('and leaves while nothing comes is let go, and makes room for another one', async () => {
    const callId = await openCall();
    const leaving = new AbortController();
    const readers = Array.from({ length: 8 }, () =>
      followStream(deps(), callId, { after: null, gone: leaving.signal }),
    );
    const waiting = readers.map((reader) => reader.next());
    expect([streams.hasRoom(callId), streams.hasRoom(await openCall())]).toEqual([false, true]);
    leaving.abort();
    expect(await Promise.all(waiting)).toEqual(readers.map(() => ({ done: true, value: undefined })));
    expect(streams.hasRoom(callId)).toBe(true);
  });

  test('of a call that is not run again reads so at once, and what became of the money', async () => {
    const callId = await openCall();
    const text = `UPDATE calls SET state = 'owed', reason = 'content_refused', transaction = '0x7' WHERE id = $1`;
    await database.current.system.query(text, [callId]);
    const [told] = await follow(callId, { run: 1, position: 4 });
    expect(told).toMatchObject({ run: 1, position: 4, part: { type: 'error', problem: { code: 'content_refused' } } });
    expect(told?.part.type === 'error' && told.part.problem.message).toMatch(
      /The payment was made \(transaction 0x7\)/,
    );
  });
});

describe('the reader of a run', () => {
  const piece = 'x'.repeat(64 * 1024);
  const start = (count: number, patienceMs: number) => {
    let made = 0;
    async function* make(): AsyncGenerator<AnswerPart, PartsEnd> {
      for (; made < count; made += 1) {
        yield { type: 'delta', text: piece };
      }
      return { ok: true, evidence: noEvidence };
    }
    const whole = Promise.withResolvers<number>();
    const kept = keepParts({ parts: make(), run: 1, kept: null, patienceMs }, async ({ parts: all }) => {
      whole.resolve(all.length);
      return { type: 'done', json: {}, media: [] };
    });
    return { ...kept, whole: whole.promise, made: () => made, reader: kept.live[Symbol.asyncIterator]() };
  };
  const takeAll = async (live: AsyncIterable<PlacedPart>) => {
    let places = 0;
    let last: string | undefined;
    for await (const { part: one } of live) {
      places += one.type === 'delta' ? one.text.length : 0;
      last = one.type;
    }
    return { places, last };
  };

  test('holds the run back while much waits for him, and gets all of it when he reads on', async () => {
    const run = start(40, 600_000);
    await expect.poll(() => run.made()).toBeGreaterThan(3);
    expect(run.made()).toBeLessThan(8);
    expect(await takeAll(run.live)).toEqual({ places: 40 * piece.length, last: 'done' });
    expect(await run.whole).toBe(40);
  });

  test('is cut off when the run has waited for him for long enough, and the run goes on to its end', async () => {
    const run = start(40, 1);
    expect(await run.whole).toBe(40);
    await run.ended;
    const { places, last } = await takeAll(run.live);
    expect(places).toBeLessThan(40 * piece.length);
    expect(last).not.toBe('done');
  });

  test('who leaves holds up nothing', async () => {
    const run = start(40, 600_000);
    await run.reader.next();
    await run.reader.return?.();
    expect(await run.whole).toBe(40);
  });
});
