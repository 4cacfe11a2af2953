import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  jsonAnswer,
  noEvidence,
  type Answer,
  type AnswerPart,
  type Evidence,
  type Failure,
  type MediaReference,
  type Outcome,
  type PartsEnd,
} from '#resources/index.ts';
import { failure } from './check-outcome.ts';
import { awaitFirstOutput, collectParts, guardParts } from './read-parts.ts';

type Parts = AsyncGenerator<AnswerPart, PartsEnd>;

const evidence: Evidence = { ...noEvidence, attempts: 1 };
const finished: PartsEnd = { ok: true, evidence };
const failed: Failure = { ok: false, problem: 'unavailable', cause: 'said: no', retryAfterSeconds: 3, evidence };
const thrown = failure({ problem: 'upstream_failed', cause: 'thrown' }, noEvidence);
const tooLate = failure({ problem: 'upstream_timeout', cause: 'too late' }, noEvidence);
const file: MediaReference = {
  id: 'm1',
  kind: 'image',
  contentType: 'image/png',
  sizeBytes: 70,
  sha256: 'f'.repeat(64),
  width: 1,
  height: 1,
  url: 'https://f.example/m1',
  expiresAt: '2026-01-02T03:04:05.000Z',
};
const media: AnswerPart = { type: 'media', media: file };
const word = (text: string): AnswerPart => ({ type: 'delta', text });
const usage = (words: number): AnswerPart => ({ type: 'usage', usage: { words } });

type End = 'finished' | 'failed' | 'thrown' | 'too late';
const ends: Record<End, PartsEnd> = { finished, failed, thrown, 'too late': tooLate };

interface Made {
  outcome: Outcome;
  parts: Parts;
  seen: { pulled: number; isCleanedUp: boolean; closed: number };
}

/** A guarded answer of these parts that ends in this way. */
function make(parts: readonly AnswerPart[], end: End = 'finished'): Made {
  const seen = { pulled: 0, isCleanedUp: false, closed: 0 };
  const { promise: cutOff, resolve } = Promise.withResolvers<PartsEnd>();
  async function* yieldAll(): Parts {
    try {
      for (const part of parts) {
        seen.pulled += 1;
        yield part;
      }
      if (end === 'thrown') {
        throw new Error('thrown');
      }
      if (end === 'too late') {
        resolve(tooLate);
        await new Promise(() => {});
      }
      return ends[end];
    } finally {
      seen.isCleanedUp = true;
    }
  }
  const guarded = guardParts(yieldAll(), {
    cutOff,
    checkEnd: (told) => told,
    onThrow: () => thrown,
    close: () => {
      seen.closed += 1;
    },
  });
  return { outcome: toOutcome(guarded), parts: guarded, seen };
}

function toOutcome(parts: Parts): Outcome {
  const answer: Answer = { ...jsonAnswer({}), contentType: 'text/plain', body: { type: 'parts', parts } };
  return { ok: true, answer, evidence: noEvidence };
}

async function readAll(parts: Parts): Promise<{ parts: AnswerPart[]; end: PartsEnd }> {
  const read: AnswerPart[] = [];
  for (;;) {
    const next = await parts.next();
    if (next.done) {
      return { parts: read, end: next.value };
    }
    read.push(next.value);
  }
}

function partsOf(outcome: Outcome): Parts {
  if (!outcome.ok || outcome.answer.body.type !== 'parts') {
    throw new Error('No answer in parts.');
  }
  return outcome.answer.body.parts;
}

const isOutput = (part: AnswerPart): boolean =>
  part.type === 'media' || (part.type === 'delta' && part.text.trim() !== '');

const anyParts = fc.array(
  fc.oneof(
    fc.string({ maxLength: 3 }).map(word),
    fc.constant(word('')),
    fc.constant(media),
    fc.nat({ max: 9 }).map(usage),
  ),
  { maxLength: 8 },
);
const anyEnd = fc.constantFrom<End>('finished', 'failed', 'thrown', 'too late');
const noOutput = { ok: false, problem: 'upstream_failed', cause: expect.stringMatching(/^empty_answer/), evidence };
/** What comes of an answer that is not usable. */
const failureOf = (end: End) => (end === 'finished' ? noOutput : ends[end]);

describe('awaitFirstOutput', () => {
  test('with the rest read afterwards gives the same parts and end as reading directly, however they end', async () => {
    await fc.assert(
      fc.asyncProperty(anyParts, anyEnd, async (parts, end) => {
        const direct = await readAll(make(parts, end).parts);
        const first = await awaitFirstOutput(make(parts, end).outcome);
        const expected = parts.some(isOutput) ? direct : { parts: [], end: failureOf(end) };
        expect(await readOutcome(first)).toEqual(expected);
        expect(direct).toEqual({ parts, end: ends[end] });
      }),
    );
  });

  test.each([
    ['a text', [word(''), usage(1), word('one'), word('two')], 3],
    ['a file', [media, word('one')], 1],
  ])('asks for no more than it takes to see %s', async (_what, parts, count) => {
    const { outcome, seen } = make(parts);
    await awaitFirstOutput(outcome);
    expect(seen).toEqual({ pulled: count, isCleanedUp: false, closed: 0 });
  });

  test('keeps status, content type and evidence of the answer', async () => {
    const { outcome } = make([word('one')]);
    expect(await awaitFirstOutput(outcome)).toMatchObject({
      ok: true,
      answer: { status: 200, contentType: 'text/plain', body: { type: 'parts' } },
      evidence: noEvidence,
    });
  });

  test.each<[string, Outcome]>([
    ['a failure', failed],
    ['an answer of JSON', { ok: true, answer: jsonAnswer({ a: 1 }), evidence }],
  ])('passes on %s as it is', async (_what, outcome) => {
    expect(await awaitFirstOutput(outcome)).toBe(outcome);
  });

  test('a reader who leaves at any point ends the parts: the kind cleans up and the guard is closed once', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyParts.filter((parts) => parts.some(isOutput)),
        fc.nat({ max: 8 }),
        async (parts, count) => {
          const { outcome, seen } = make(parts);
          const rest = partsOf(await awaitFirstOutput(outcome));
          for (let read = 0; read < Math.min(count, parts.length); read += 1) {
            expect((await rest.next()).value).toEqual(parts[read]);
          }
          await rest.return(undefined as never);
          expect(seen).toMatchObject({ isCleanedUp: true, closed: 1 });
          expect(await rest.next()).toEqual({ done: true, value: undefined });
        },
      ),
    );
  });
});

describe('collectParts', () => {
  test('fails exactly when there is no output or the end is a failure, and otherwise has all of it', async () => {
    await fc.assert(
      fc.asyncProperty(anyParts, anyEnd, async (parts, end) => {
        const { outcome, seen } = make(parts, end);
        const collected = await collectParts(outcome);
        const isAnswer = end === 'finished' && parts.some(isOutput);
        expect(collected).toEqual(isAnswer ? toWhole(parts) : failureOf(end));
        expect(seen.closed).toBe(1);
      }),
    );
  });

  test('gives text, files and usage the names that whole answers have', async () => {
    const { outcome } = make([word('one '), media, word('two'), usage(2)]);
    expect(await collectParts(outcome)).toEqual({
      ok: true,
      answer: {
        status: 200,
        contentType: 'application/json',
        headers: {},
        body: { type: 'json', json: { response: 'one two', usage: { words: 2 }, media: [file] } },
        media: [file],
      },
      evidence,
    });
  });

  test('gives the same after the first output was awaited', async () => {
    await fc.assert(
      fc.asyncProperty(anyParts, anyEnd, async (parts, end) => {
        const directly = await collectParts(make(parts, end).outcome);
        expect(await collectParts(await awaitFirstOutput(make(parts, end).outcome))).toEqual(directly);
      }),
    );
  });
});

/** A failure as the end of no parts. */
const readOutcome = async (outcome: Outcome) => (outcome.ok ? readAll(partsOf(outcome)) : { parts: [], end: outcome });

function toWhole(parts: readonly AnswerPart[]): Outcome {
  const last = parts.findLast((part) => part.type === 'usage');
  const files = parts.flatMap((part) => (part.type === 'media' ? [part.media] : []));
  const json = {
    response: parts.map((part) => (part.type === 'delta' ? part.text : '')).join(''),
    ...(last ? { usage: last.usage } : {}),
    ...(files.length > 0 ? { media: files.map((one) => ({ ...one })) } : {}),
  };
  return { ok: true, answer: jsonAnswer(json, files), evidence };
}
