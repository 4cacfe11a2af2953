import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPromptTemplate } from '#execution/index.ts';
import { parameterSchema } from '#resources/parameter.ts';
import { openChatCompletions } from '#upstreams/chat-completions/open-chat-completions.ts';
import { openOutbound, type Outbound } from '#upstreams/outbound/open-outbound.ts';
import { executionDeps, publishedVersion, runContext } from './support/execution-deps.ts';
import { bytes, event, startScriptedUpstream, type ScriptedUpstream, type Step } from './support/scripted-upstream.ts';
import { adjustments } from './support/upstream-shapes/adjustments.ts';
import { answers } from './support/upstream-shapes/answers.ts';
import { refusals } from './support/upstream-shapes/refusals.ts';
import { chunk, refusal, stream, type UpstreamShape } from './support/upstream-shapes/shape.ts';
import { tooLongs } from './support/upstream-shapes/too-long.ts';

let upstream: ScriptedUpstream;
let outbound: Outbound;

beforeAll(async () => {
  upstream = await startScriptedUpstream();
  outbound = openOutbound({ allowedOrigins: [upstream.url] });
});
afterAll(async () => {
  await outbound.close();
  await upstream.close();
});

function toStep(reply: UpstreamShape['replies'][number]): Step {
  const { status = 200, headers, json, events, text, isCut } = reply;
  if (events) {
    const pieces = events.map((item) => (typeof item === 'string' ? item : event(item)));
    return bytes(pieces, { ...(headers ? { type: headers['content-type'] ?? '' } : {}), cut: isCut ?? false });
  }
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(text ?? JSON.stringify(json));
  };
}

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** A resource on this upstream, through the real client; `run` answers as often as it is called. */
function openResource(config: UpstreamShape['config']) {
  const chatCompletions = openChatCompletions({ outbound, log: silent });
  const unused = () => Promise.reject(new Error('not used here'));
  const given = { openRouter: { chat: unused }, chatCompletions, outbound, media: { store: unused } as never };
  const world = executionDeps(given);
  world.deps.openUpstreamKey = async () => 'sk-of-the-upstream';
  const kind = openPromptTemplate(world.deps);
  const version = publishedVersion({
    kind: 'prompt_template',
    parameters: [parameterSchema.parse({ name: 'phrase' })],
    config: {
      model: 'm',
      systemPrompt: 'Translate {phrase}{/phrase}.',
      maxTokens: 64,
      upstream: { type: 'chat_completions', baseUrl: `${upstream.url}/v1` },
      ...config,
    },
  });
  const run = (phrase = 'Hello') => kind.run(version, { phrase, user_message: 'Please.' }, runContext());
  return { told: world.told, run };
}

function toExpected(told: UpstreamShape['told']): object {
  if ('response' in told) {
    return { ok: true, answer: { body: { json: told } } };
  }
  const { cause, pauses: _pauses, ...buyer } = told;
  return { ok: false, cause: expect.stringMatching(`^${cause}: `) as unknown, ...buyer };
}

const shapes = [...tooLongs, ...refusals, ...adjustments, ...answers];

test.each(shapes.map((shape) => [shape.name, shape] as const))(
  'buyer and creator are told what an upstream means: %s',
  async (_name, { replies, phrase, config, told, sends, requests }) => {
    upstream.script(...replies.map(toStep));
    const resource = openResource(config);
    const outcome = await resource.run(phrase);
    const sent = upstream.seen.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
    expect(outcome).toMatchObject(toExpected(told));
    expect(resource.told.paused).toHaveLength('pauses' in told ? 1 : 0);
    const named = Object.keys(sends ?? {}).map((name) => [name, sent.at(-1)?.[name] ?? null]);
    expect(Object.fromEntries(named)).toEqual(sends ?? {});
    expect(sent.length).toBe(requests ?? sent.length);
  },
);

test('what an upstream does not take is asked for once: the next call begins with what it takes', async () => {
  const [renamed] = adjustments;
  const resource = openResource({});
  upstream.script(...(renamed?.replies ?? []).map(toStep));
  expect(await resource.run()).toMatchObject({
    ok: true,
    evidence: { own: { adjustments: ['max_completion_tokens'] } },
  });
  expect(await resource.run()).toMatchObject({ ok: true, evidence: { attempts: 1 } });
  expect(
    upstream.seen.map(({ body }) => Object.keys(JSON.parse(body) as object).filter((key) => /max/.test(key))),
  ).toEqual([['max_tokens'], ['max_completion_tokens'], ['max_completion_tokens']]);
});

const renaming = refusal(
  "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
);
const fine = { events: stream('Fine.') };
/** How the token limit was named in each request since the last script. */
const seenLimits = () =>
  upstream.seen.map(({ body }) => Object.keys(JSON.parse(body) as object).find((key) => /max/.test(key)));

test('a refusal that has nothing to do with what was learnt does not make the next call learn it anew', async () => {
  const resource = openResource({});
  upstream.script(...[renaming, fine, refusal('Your prompt was flagged by our safety system.'), fine].map(toStep));
  for (const ok of [true, false, true]) {
    expect(await resource.run()).toMatchObject({ ok });
  }
  const learnt = 'max_completion_tokens';
  expect(seenLimits()).toEqual(['max_tokens', learnt, learnt, learnt]);
});

test('a refusal of what was learnt forgets it, and the next call begins with the plain form', async () => {
  const resource = openResource({});
  const replies = [renaming, fine, refusal('max_completion_tokens: Extra inputs are not permitted'), fine];
  upstream.script(...replies.map(toStep));
  for (const ok of [true, false, true]) {
    expect(await resource.run()).toMatchObject({ ok });
  }
  expect(seenLimits().at(-1)).toBe('max_tokens');
});

test('an upstream that reports a known refusal after output is not asked again: that would be billed twice', async () => {
  const error = (renaming.json as { error: object }).error;
  upstream.script(...[{ events: [chunk({ content: 'Half of' }), { error }] }, fine].map(toStep));
  expect(await openResource({}).run()).toMatchObject({ ok: false });
  expect(upstream.seen).toHaveLength(1);
});

test('the table has a source for each shape, and no shape twice', () => {
  expect(shapes.length).toBeGreaterThanOrEqual(40);
  expect(shapes.filter(({ source }) => !/^https:\/\/|^[\w.-]+\/[\w.-]+#\d+/.test(source))).toEqual([]);
  expect(new Set(shapes.map(({ name }) => name)).size).toBe(shapes.length);
});
