import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import {
  jsonAnswer,
  noEvidence,
  type Answer,
  type AnswerPart,
  type Evidence,
  type Failure,
  type Outcome,
  type PartsEnd,
  type ResourceKind,
} from '#resources/index.ts';
import { publishedVersion } from '../../tests/support/execution-deps.ts';
import { openToyKind } from '../../tests/support/toy-kind.ts';
import { execute, type ExecuteContext } from './execute.ts';

type Run = ResourceKind['run'];
type Parts = AsyncGenerator<AnswerPart, PartsEnd>;

const LIMIT_MS = 5_000;
const evidence: Evidence = { ...noEvidence, attempts: 1, own: { words: 3 } };
const whole: Outcome = { ok: true, answer: jsonAnswer({ response: 'x' }), evidence };
const failed: Failure = { ok: false, problem: 'unavailable', cause: 'key_missing: none', evidence };
const timedOut = { ok: false, problem: 'upstream_timeout', cause: expect.stringMatching(/^timeout/) };
const internal = { ok: false, problem: 'upstream_failed', cause: 'internal: the kind of resource failed' };
const word = (text: string): AnswerPart => ({ type: 'delta', text });
const never = () => new Promise<never>(() => {});

let logged: object[];

beforeEach(() => {
  logged = [];
  vi.useFakeTimers();
});
afterEach(() => vi.useRealTimers());

function executeRun(run: Run, more: Partial<ExecuteContext> = {}): Promise<Outcome> {
  const kind: ResourceKind = {
    ...(openToyKind() as unknown as ResourceKind),
    evidenceSchema: z.object({ words: z.int() }),
    run,
  };
  const log = { error: (fields: object) => void logged.push(fields) };
  const deps = { kinds: new Map([['toy', kind]]), clock: { now: () => 1_000 }, log };
  const context = { callId: 'c1', payer: '0xpayer', limitMs: LIMIT_MS, isTest: false, ...more };
  return execute(deps, { version: publishedVersion({ kind: 'toy' }), input: { topic: 'rain' } }, context);
}

const inParts = (parts: Parts, more: Partial<Answer> = {}): Outcome => ({
  ok: true,
  answer: { ...jsonAnswer({}), body: { type: 'parts', parts }, ...more },
  evidence,
});

async function begin(run: Run, more: Partial<ExecuteContext> = {}): Promise<Parts> {
  const outcome = await executeRun(run, more);
  if (!outcome.ok || outcome.answer.body.type !== 'parts') {
    throw new Error('No answer in parts.');
  }
  return outcome.answer.body.parts;
}

async function readAll(parts: Parts): Promise<{ texts: string[]; end: PartsEnd }> {
  const texts: string[] = [];
  for (;;) {
    const next = await parts.next();
    if (next.done) {
      return { texts, end: next.value };
    }
    texts.push(next.value.type === 'delta' ? next.value.text : next.value.type);
  }
}

async function* twoWords(onCleanUp: () => void): Parts {
  try {
    yield word('one');
    yield word('two');
    return { ok: true, evidence };
  } finally {
    onCleanUp();
  }
}

describe('a run', () => {
  test('is given its input, its deadline and who pays', async () => {
    const run = vi.fn<Run>(async () => whole);
    expect(await executeRun(run, { isTest: true })).toEqual(whole);
    expect(run).toHaveBeenCalledWith(
      expect.objectContaining({ kind: 'toy' }),
      { topic: 'rain' },
      expect.objectContaining({ callId: 'c1', payer: '0xpayer', isTest: true, deadlineMs: 6_000 }),
    );
  });

  test('of a kind that is not there is a failure', async () => {
    const deps = { kinds: new Map(), clock: { now: () => 0 }, log: { error: () => {} } };
    const context = { callId: 'c1', payer: null, limitMs: 1, isTest: false };
    expect(await execute(deps, { version: publishedVersion({ kind: 'gone' }), input: {} }, context)).toEqual({
      ok: false,
      problem: 'unavailable',
      cause: 'unknown_kind: gone',
      evidence: noEvidence,
    });
  });

  test.each<[string, Run]>([
    ['throws', async () => Promise.reject(new Error('canary'))],
    [
      'throws before it returns a promise',
      () => {
        throw new Error('canary');
      },
    ],
    [
      'answers with JSON that cannot be written',
      async () => {
        const circle: Record<string, never> = {};
        circle['canary'] = circle as never;
        return { ok: true, answer: jsonAnswer(circle), evidence };
      },
    ],
    ['answers with nothing', async () => undefined as never],
  ])('of a kind that %s is a failure without details, and is logged', async (_how, run) => {
    const outcome = await executeRun(run);
    expect(outcome).toEqual({ ...internal, evidence: noEvidence });
    expect(logged).toEqual([{ err: expect.any(Error), callId: 'c1', kind: 'toy' }]);
  });

  test('that never answers is cut off at its limit', async () => {
    const outcome = executeRun(never);
    await vi.advanceTimersByTimeAsync(LIMIT_MS + 1_000);
    expect(await outcome).toMatchObject(timedOut);
  });

  test('that heeds its signal tells what it knows', async () => {
    const outcome = executeRun(
      (_version, _input, { signal }) =>
        new Promise((resolve) => signal.addEventListener('abort', () => resolve(failed))),
    );
    await vi.advanceTimersByTimeAsync(LIMIT_MS);
    expect(await outcome).toEqual(failed);
  });

  test('that answers after its limit is not waited for, and its late error is nobody’s', async () => {
    const late = Promise.withResolvers<Outcome>();
    const outcome = executeRun(() => late.promise);
    await vi.advanceTimersByTimeAsync(LIMIT_MS + 1_000);
    late.reject(new Error('late'));
    expect(await outcome).toMatchObject(timedOut);
  });

  test.each([
    ['while it runs', false],
    ['before it begins', true],
  ])('that is cancelled %s is cut off long before its limit', async (_when, isEarly) => {
    const controller = new AbortController();
    if (isEarly) {
      controller.abort();
    }
    const outcome = executeRun(never, { signal: controller.signal });
    controller.abort();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await outcome).toMatchObject(timedOut);
    expect(vi.getTimerCount()).toBe(0);
  });

  test.each<[string, Run]>([
    ['answers', async () => whole],
    ['fails', async () => failed],
    ['throws', async () => Promise.reject(new Error('no'))],
  ])('that %s leaves no timer', async (_how, run) => {
    await executeRun(run);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('whose answer in parts is refused is told to stop', async () => {
    let signal: AbortSignal | undefined;
    async function* parts(): Parts {
      yield word('never read');
      return { ok: true, evidence };
    }
    const outcome = await executeRun(async (_version, _input, context) => {
      ({ signal } = context);
      return inParts(parts(), { status: 500 });
    });
    expect(outcome).toMatchObject({ ok: false, cause: expect.stringMatching(/^unusable_status/) });
    expect(signal?.aborted).toBe(true);
  });
});

describe('an answer in parts', () => {
  test('is read as it comes, and its evidence is that of its end', async () => {
    async function* parts(): Parts {
      yield word('one');
      yield { type: 'usage', usage: { words: 1 } };
      return { ok: true, evidence: { ...evidence, costUsd: '0.1', own: { words: 1, secret: 'x' } } };
    }
    expect(await readAll(await begin(async () => inParts(parts())))).toEqual({
      texts: ['one', 'usage'],
      end: { ok: true, evidence: { ...evidence, costUsd: '0.1', own: { words: 1 } } },
    });
    expect(vi.getTimerCount()).toBe(0);
  });

  test('that ends with evidence of another shape keeps only the common part', async () => {
    async function* parts(): Parts {
      yield word('one');
      return { ok: false, problem: 'upstream_failed', cause: 'x', evidence: { ...evidence, own: { words: 'many' } } };
    }
    const { end } = await readAll(await begin(async () => inParts(parts())));
    expect(end).toEqual({ ok: false, problem: 'upstream_failed', cause: 'x', evidence: { ...evidence, own: {} } });
  });

  test('whose kind throws in the middle ends as failed, and is logged', async () => {
    async function* parts(): Parts {
      yield word('one');
      throw new Error('canary');
    }
    expect(await readAll(await begin(async () => inParts(parts())))).toMatchObject({ texts: ['one'], end: internal });
    expect(logged).toEqual([{ err: expect.any(Error), callId: 'c1', kind: 'toy' }]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('that never ends is cut off at the limit of the run', async () => {
    async function* parts(): Parts {
      yield word('one');
      return never();
    }
    const read = readAll(await begin(async () => inParts(parts())));
    await vi.advanceTimersByTimeAsync(LIMIT_MS + 1_000);
    expect(await read).toMatchObject({ texts: ['one'], end: timedOut });
    expect(vi.getTimerCount()).toBe(0);
  });

  test('whose kind heeds the signal ends as the kind says', async () => {
    async function* parts(signal: AbortSignal): Parts {
      yield word('one');
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return failed;
    }
    const read = readAll(await begin(async (_version, _input, { signal }) => inParts(parts(signal))));
    await vi.advanceTimersByTimeAsync(LIMIT_MS);
    expect(await read).toEqual({ texts: ['one'], end: failed });
  });

  test.each([
    ['text without end', word('x'.repeat(1024 * 1024))],
    ['empty pieces without end', word('')],
    ['usage without end', { type: 'usage', usage: { text: 'x'.repeat(1024 * 1024) } } as const],
  ])('of %s is broken off, and the creator is told why', async (_what, part) => {
    async function* parts(): Parts {
      for (;;) {
        yield part;
      }
    }
    const { end, texts } = await readAll(await begin(async () => inParts(parts())));
    expect(end).toMatchObject({
      ok: false,
      problem: 'upstream_failed',
      cause: expect.stringMatching(/^answer_too_large/),
    });
    expect(texts.length).toBeGreaterThan(10);
    expect(logged).toEqual([]);
  });

  test('whose reader leaves ends: the kind cleans up and is told to stop', async () => {
    const onCleanUp = vi.fn<() => void>();
    let signal: AbortSignal | undefined;
    const begun = await begin(async (_version, _input, context) => {
      ({ signal } = context);
      return inParts(twoWords(onCleanUp));
    });
    await begun.next();
    await begun.return(undefined as never);
    expect(onCleanUp).toHaveBeenCalledOnce();
    expect(signal?.aborted).toBe(true);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('that is cancelled while nobody reads ends: the kind cleans up, and no timer is left', async () => {
    const onCleanUp = vi.fn<() => void>();
    const controller = new AbortController();
    const begun = await begin(async () => inParts(twoWords(onCleanUp)), { signal: controller.signal });
    await begun.next();
    controller.abort();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(onCleanUp).toHaveBeenCalledOnce();
    expect(vi.getTimerCount()).toBe(0);
    expect((await readAll(begun)).end).toMatchObject(timedOut);
    expect(logged).toEqual([]);
  });
});
