import { isDeepStrictEqual } from 'node:util';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { ProblemCode } from '#kit/index.ts';
import type {
  Answer,
  Evidence,
  Outcome,
  Parameter,
  PartsEnd,
  PublishedVersion,
  ResourceKind,
  RunContext,
  SettlementPoint,
} from '#resources/index.ts';
import { publishedVersion, runContext } from './execution-deps.ts';

interface Draft {
  config: Record<string, unknown>;
  parameters: Parameter[];
}

export interface GivenKind {
  /** Asked in each test, so that hooks can make it anew. */
  kind(): ResourceKind;
  /** Can be published and run. */
  draft(): Draft;
  input: Record<string, unknown>;
  /** Drafts that may not be published, by what is wrong with them. */
  faulty: Readonly<Record<string, (draft: Draft) => Draft>>;
  /** Stand in the config and may not be seen in public. */
  hidden: readonly string[];
  /** Keys, prompts and inputs: in no evidence and no cause, and in no answer unless that is what is sold. */
  secrets: readonly string[];
  sellsItsInput?: boolean;
  settlementPoints: readonly SettlementPoint[];
  /** What it runs on, by turns: answers; fails, with all that it was sent in its error; or begins and then stands still. */
  answering(): void;
  failing?(): void;
  /** `hasBegun` resolves when it stands still, and before that the first part, if any, has been sent. */
  standingStill?(): { hasBegun: Promise<unknown> };
  /** Takes away what it cannot run without. */
  unready?(): void;
}

const settlementPoints: ReadonlySet<SettlementPoint> = new Set(['on_success', 'at_first_output', 'upfront']);
/** None says anything about keys, credit, models or payments. */
const neutralProblems: ReadonlySet<ProblemCode> = new Set([
  'unavailable',
  'upstream_failed',
  'upstream_timeout',
  'content_refused',
  'unprocessable',
  'too_large',
]);

/** What every kind of resource owes those who call it: run by each of them, the toys included. */
export function describeKind(name: string, given: GivenKind): void {
  const readDraft = () => {
    const kind = given.kind();
    const draft = given.draft();
    return { kind, draft, config: kind.configSchema.parse(draft.config) };
  };
  const publish = (): PublishedVersion => {
    const { kind, draft, config } = readDraft();
    // As it is read from the database.
    return publishedVersion({
      kind: kind.name,
      parameters: draft.parameters,
      config: JSON.parse(JSON.stringify(config)),
    });
  };
  const run = async (more: Partial<RunContext> = {}): Promise<Whole> =>
    readWhole(await given.kind().run(publish(), given.input, runContext(more)));
  const secretsIn = (told: unknown): string[] =>
    given.secrets.filter((secret) => toText(told).includes(JSON.stringify(secret).slice(1, -1)));

  describe(`${name} as a kind of resource`, () => {
    test('has a config whose JSON Schema accepts the draft, and whose output is the same after a trip through JSON', () => {
      const { kind, draft, config } = readDraft();
      const schema = z.toJSONSchema(kind.configSchema, { io: 'input' });
      expect(schema).toMatchObject({ type: 'object' });
      expect(new Ajv2020({ strict: false }).validate(schema, draft.config)).toBe(true);
      const stored: unknown = JSON.parse(JSON.stringify(config));
      expect(kind.configSchema.parse(stored)).toEqual(config);
    });

    test('shows nothing secret of its config, and only what JSON can hold', () => {
      const { kind, config } = readDraft();
      const shown = kind.toPublic(config);
      expect([...given.hidden, ...given.secrets].filter((secret) => toText(shown).includes(secret))).toEqual([]);
      expect(isPlain(shown)).toBe(true);
    });

    test('lets a good draft be published', async () => {
      const { kind, draft, config } = readDraft();
      expect(await kind.checkPublishable(config, draft.parameters, 'u1')).toEqual([]);
    });

    test.each(Object.keys(given.faulty))('says where in the draft the problem is: %s', async (what) => {
      const kind = given.kind();
      const draft = given.faulty[what]?.(given.draft()) ?? given.draft();
      const problems = await kind.checkPublishable(kind.configSchema.parse(draft.config), draft.parameters, 'u1');
      expect(problems.length).toBeGreaterThan(0);
      expect(problems.map(({ path }) => path).filter((path) => !isPointerInto(draft, path))).toEqual([]);
      expect(problems.filter(({ message }) => message.trim() === '')).toEqual([]);
    });

    test('offers only settlement points that exist, and those that it is said to have', () => {
      const { kind } = readDraft();
      const offered = kind.settlementPoints ?? ['on_success'];
      expect(offered.filter((point) => !settlementPoints.has(point))).toEqual([]);
      expect(offered).toEqual(expect.arrayContaining([...given.settlementPoints]));
    });

    test('is ready when it has what it needs', async () => {
      expect(await given.kind().isReady(publish())).toEqual({ ready: true });
    });

    test.runIf(given.unready)('is not ready without what it needs, and tells the cause', async () => {
      const [kind, version] = [given.kind(), publish()];
      given.unready?.();
      const readiness = await kind.isReady(version);
      expect(readiness).toMatchObject({ ready: false, cause: expect.stringMatching(/\S/) });
      expect(secretsIn(readiness)).toEqual([]);
    });

    test('answers with a usable answer and with evidence that its schema reads', async () => {
      given.answering();
      const { outcome, end } = await run();
      expect([outcome.ok, end.ok]).toEqual([true, true]);
      expect(findAnswerFaults(outcome)).toEqual([]);
      expect(findEvidenceFaults(given.kind(), [outcome.evidence, end.evidence])).toEqual([]);
      expect(secretsIn([outcome.evidence, end.evidence])).toEqual([]);
    });

    test('answers JSON in the form that its answerSchema tells, nothing left out; its example has that form too', async () => {
      given.answering();
      const { answerSchema, answerExample } = given.kind();
      expect(answerSchema.parse(answerExample)).toEqual(answerExample);
      const { outcome } = await run();
      const { body } = (outcome as { answer: Answer }).answer;
      const json = body.type === 'json' ? body.json : answerExample;
      expect(answerSchema.parse(json)).toEqual(json);
    });

    test.skipIf(given.sellsItsInput)('tells no key, prompt or input in its answer', async () => {
      given.answering();
      expect(secretsIn(await run())).toEqual([]);
    });

    test.runIf(given.failing)(
      'fails with a neutral problem and a cause, both without key, prompt or input',
      async () => {
        given.failing?.();
        const whole = await run();
        expect(findFailureFaults(given.kind(), whole.end)).toEqual([]);
        expect(secretsIn(whole)).toEqual([]);
      },
    );

    test.runIf(given.standingStill)('ends with a failure when it is cut off in the middle', async () => {
      const { hasBegun } = given.standingStill?.() ?? {};
      const controller = new AbortController();
      const running = run({ signal: controller.signal });
      await hasBegun;
      controller.abort(new Error('cancelled'));
      expect(findFailureFaults(given.kind(), (await running).end)).toEqual([]);
    });

    test('answers as well where its answer may go out while it is made, and tells nothing more', async () => {
      given.answering();
      const whole = await run({ inParts: true });
      expect([whole.outcome.ok, whole.end.ok]).toEqual([true, true]);
      expect(findEvidenceFaults(given.kind(), [whole.outcome.evidence, whole.end.evidence])).toEqual([]);
      expect(given.sellsItsInput ? [] : secretsIn(whole)).toEqual([]);
    });

    test('answers or fails, and does not throw, when it was cut off before it began', async () => {
      given.answering();
      const { end } = await run({ signal: AbortSignal.abort(new Error('cancelled')) });
      expect(findEvidenceFaults(given.kind(), [end.evidence])).toEqual([]);
    });
  });
}

interface Whole {
  outcome: Outcome;
  /** Everything that went out in parts. */
  parts: unknown[];
  /** Of the parts; of an answer that is whole at once, its outcome. */
  end: PartsEnd;
}

async function readWhole(outcome: Outcome): Promise<Whole> {
  if (!outcome.ok || outcome.answer.body.type !== 'parts') {
    return { outcome, parts: [], end: outcome };
  }
  const parts: unknown[] = [];
  for (;;) {
    const next = await outcome.answer.body.parts.next();
    if (next.done) {
      return { outcome, parts, end: next.value };
    }
    parts.push(next.value);
  }
}

function findAnswerFaults(outcome: Outcome): string[] {
  const { status, contentType, headers, body, media } = (outcome as { answer: Answer }).answer;
  const plain = [headers, media, ...(body.type === 'json' ? [body.json] : [])];
  return toFaults({
    'its status is not of success': status < 200 || status > 299,
    'it has no content type': !/^[\w.+-]+\/[\w.+-]+/.test(contentType),
    'its body is of no known type': !['json', 'bytes', 'parts'].includes(body.type),
    'it holds what JSON cannot': !isPlain(plain),
  });
}

function findFailureFaults(kind: ResourceKind, end: PartsEnd): string[] {
  return end.ok
    ? ['it did not fail']
    : [
        ...toFaults({
          [`its problem ${end.problem} is not neutral`]: !neutralProblems.has(end.problem),
          'it has no cause': end.cause.trim() === '',
        }),
        ...findEvidenceFaults(kind, [end.evidence]),
      ];
}

/** As its schema reads it, nothing is missing and nothing is left out; a run that never asked anybody has nothing to tell. */
function findEvidenceFaults(kind: ResourceKind, told: readonly Evidence[]): string[] {
  return told.flatMap(({ own, costUsd, attempts, firstOutputMs }) => {
    const read = kind.evidenceSchema.safeParse(own);
    const isNothing = attempts === 0 && Object.keys(own).length === 0;
    return toFaults({
      'its own evidence does not fit its schema': !isNothing && !isDeepStrictEqual(read.data, own),
      'its own evidence holds what JSON cannot': !isPlain(own),
      'its cost is no decimal': costUsd !== null && !/^\d+(\.\d+)?$/.test(costUsd),
      'its attempts are not counted': !Number.isInteger(attempts) || attempts < 0,
      'its first output has no time': firstOutputMs !== null && !(firstOutputMs >= 0),
    });
  });
}

function toFaults(found: Readonly<Record<string, boolean>>): string[] {
  return Object.keys(found).filter((fault) => found[fault]);
}

function isPlain(value: unknown): boolean {
  return isDeepStrictEqual(JSON.parse(JSON.stringify(value)), value);
}

/** Does the JSON Pointer lead to something in the draft, or to a field that is missing there? */
function isPointerInto(draft: Draft, pointer: string): boolean {
  const [root, ...names] = pointer.split('/');
  const steps = names.map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  const parent = steps.slice(0, -1).reduce<unknown>((value, step) => (value as Record<string, unknown>)?.[step], draft);
  return root === '' && ['config', 'parameters'].includes(steps[0] ?? '') && typeof parent === 'object';
}

/** Bytes are told as the text that they are. */
function toText(told: unknown): string {
  return JSON.stringify(told, (_name, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString() : value,
  );
}
