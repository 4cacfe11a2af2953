import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { openChatCompletions } from '#upstreams/chat-completions/open-chat-completions.ts';
import { openOutbound, type Outbound } from '#upstreams/outbound/open-outbound.ts';
import { parameterSchema } from '#resources/parameter.ts';
import { describeKind, type GivenKind } from '../../../tests/support/describe-kind.ts';
import { executionDeps, knownModel } from '../../../tests/support/execution-deps.ts';
import { CANARY_KEY, useScriptedOpenRouter } from '../../../tests/support/scripted-openrouter.ts';
import {
  bytes,
  COMMENT,
  delta,
  goodStream,
  status,
  type SeenRequest,
  type Step,
} from '../../../tests/support/scripted-upstream.ts';
import { quietLog } from '../../../tests/support/test-chain.ts';
import { startStreamSource, type StreamSource } from '../../../tests/support/stream-source.ts';
import { openToyKind, type ToyKind } from '../../../tests/support/toy-kind.ts';
import { openToyStream } from '../../../tests/support/toy-stream.ts';
import { openOpenRouterInstant, openPromptTemplate } from '../index.ts';

const router = useScriptedOpenRouter();
const PROMPT = 'Confidential house style, "number nine"';
const TOPIC = 'a "canary" at the mine\nof Kiruna';
const MESSAGE = 'Ask the canary of the buyer';
const URL_KEY = 'canary-in-the-url';
const parameters = [parameterSchema.parse({ name: 'topic' })];

const vectors = knownModel({ openrouterId: 'acme/vectors', outputModalities: ['embeddings'] });

let outbound: Outbound;
let source: StreamSource;
let world: ReturnType<typeof executionDeps>;
let toy: ToyKind;

beforeAll(async () => {
  source = await startStreamSource();
  outbound = openOutbound({ allowedOrigins: [router.upstream.url] });
});
afterAll(async () => {
  await outbound.close();
  await source.close();
});
beforeEach(() => {
  const chatCompletions = openChatCompletions({ outbound, log: quietLog });
  const unused = () => Promise.reject(new Error('no file is asked for'));
  const media = { store: unused, readInput: unused };
  const given = { openRouter: router.client, openRouterMedia: router.client.media, chatCompletions, outbound, media };
  world = executionDeps(given, [knownModel(), vectors]);
  world.deps.openCreatorKey = async () => ({ apiKey: CANARY_KEY });
  world.deps.openUpstreamKey = async () => CANARY_KEY;
  toy = openToyKind();
});
afterEach(() => source.release());

/** An upstream that repeats in its error all that it was sent. */
const repeat: Step = (response, { headers, body }: SeenRequest) => {
  const { messages } = JSON.parse(body) as { messages: { content: string }[] };
  const message = `Key ${headers.authorization} may not ask ${messages.map(({ content }) => content).join(' ')}`;
  response.writeHead(400, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ error: { code: 400, message, metadata: { raw: body } } }));
};

const onUpstream = {
  secrets: [CANARY_KEY, PROMPT, TOPIC, MESSAGE],
  settlementPoints: ['on_success', 'at_first_output', 'upfront'],
  answering: () => router.upstream.script(bytes(goodStream('An ode'))),
  failing: () => router.upstream.script(repeat),
  standingStill: () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    router.upstream.script(async (response, request) => {
      await bytes([COMMENT, delta('Half of')], { hang: true })(response, request);
      resolve();
    });
    return { hasBegun: promise };
  },
  unready: () => {
    world.deps.openCreatorKey = async () => null;
    world.deps.openUpstreamKey = async () => null;
  },
} as const satisfies Partial<GivenKind>;

describeKind('openrouter_instant', {
  ...onUpstream,
  kind: () => openOpenRouterInstant(world.deps),
  draft: () => ({
    parameters,
    config: { modelId: 'acme/poet', systemPrompt: `${PROMPT}: {topic}{/topic}`, userMessage: `${PROMPT}!` },
  }),
  input: { topic: TOPIC },
  hidden: ['systemPrompt'],
  faulty: {
    'an unknown model': (draft) => ({ ...draft, config: { ...draft.config, modelId: 'acme/nobody' } }),
    'an unknown model to fall back to': (draft) => ({
      ...draft,
      config: { ...draft.config, fallbackModels: ['acme/nobody'] },
    }),
    'a tag without a parameter': (draft) => ({ ...draft, config: { ...draft.config, userMessage: '{word}{/word}' } }),
  },
});

describeKind('openrouter_instant on a model that is asked in no chat', {
  ...onUpstream,
  kind: () => openOpenRouterInstant(world.deps),
  draft: () => ({ parameters, config: { modelId: 'acme/vectors', systemPrompt: `${PROMPT}: {topic}{/topic}` } }),
  input: { topic: TOPIC },
  hidden: ['systemPrompt'],
  answering: () => router.upstream.script(status(200, { data: [{ embedding: [0.25, -0.5] }] })),
  failing: () =>
    router.upstream.script((response, { headers, body }) => {
      response.writeHead(400, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ error: { code: 400, message: `${headers.authorization} ${body}` } }));
    }),
  standingStill: () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    router.upstream.script(async (response, request) => {
      await bytes(['{"data"'], { type: 'application/json', hang: true })(response, request);
      resolve();
    });
    return { hasBegun: promise };
  },
  faulty: {
    'a setting of another form': (draft) => ({ ...draft, config: { ...draft.config, video: { durationSeconds: 5 } } }),
    'a setting of a chat': (draft) => ({ ...draft, config: { ...draft.config, temperature: 1 } }),
  },
});

const template = {
  ...onUpstream,
  kind: () => openPromptTemplate(world.deps),
  input: { topic: TOPIC, user_message: MESSAGE },
} as const;

describeKind('prompt_template on OpenRouter', {
  ...template,
  draft: () => ({
    parameters,
    config: { model: 'acme/poet', systemPrompt: `${PROMPT}: {topic}{/topic}`, allowsUserMessage: true },
  }),
  hidden: ['systemPrompt'],
  faulty: {
    'an unknown model': (draft) => ({ ...draft, config: { ...draft.config, model: 'acme/nobody' } }),
    'a parameter that is not used': (draft) => ({
      ...draft,
      config: { ...draft.config, systemPrompt: '{word}{/word}' },
    }),
  },
});

describeKind('prompt_template on another upstream', {
  ...template,
  draft: () => ({
    parameters,
    config: {
      model: 'tiny',
      systemPrompt: `${PROMPT}: {topic}{/topic}`,
      allowsUserMessage: true,
      upstream: { type: 'chat_completions', baseUrl: `${router.upstream.url}/v1?key=${URL_KEY}` },
    },
  }),
  hidden: [URL_KEY, '127.0.0.1'],
  faulty: {
    'a host that may not be called': (draft) => ({
      ...draft,
      config: { ...draft.config, upstream: { type: 'chat_completions', baseUrl: 'https://169.254.169.254/v1' } },
    }),
    'no name of a model': (draft) => ({ ...draft, config: { ...draft.config, model: ' ' } }),
  },
});

describeKind('the toy kind', {
  kind: () => toy,
  draft: () => ({ parameters, config: { template: `${PROMPT}: {topic}{/topic}` } }),
  input: { topic: TOPIC },
  hidden: ['template'],
  secrets: [PROMPT, TOPIC],
  sellsItsInput: true,
  settlementPoints: ['on_success'],
  answering: () => {},
  unready: () => {
    toy.readiness = { ready: false, cause: 'toy_gone: taken away' };
  },
  faulty: {
    'a tag without a parameter': (draft) => ({ ...draft, config: { template: '{word}{/word}' } }),
  },
});

for (const form of ['parts', 'json', 'bytes']) {
  describeKind(`the toy stream kind, as ${form}`, {
    kind: () => openToyStream(),
    draft: () => ({ parameters, config: { source: `${source.url}/?key=${URL_KEY}`, form } }),
    input: { topic: TOPIC },
    hidden: [URL_KEY, '127.0.0.1'],
    secrets: [TOPIC],
    settlementPoints: ['on_success', 'at_first_output', 'upfront'],
    answering: () => source.script(TOPIC, [{ text: 'one ' }, { text: 'two' }]),
    failing: () => source.script(TOPIC, [{ text: 'one ' }, { fail: true }]),
    standingStill: () => {
      source.script(TOPIC, [{ text: 'one ' }, { text: 'two' }]);
      return { hasBegun: source.hold(TOPIC, 1) };
    },
    faulty: {
      'a source that is no URL': (draft) => ({ ...draft, config: { ...draft.config, source: 'nowhere' } }),
    },
  });
}
