import { z } from 'zod';
import { Problem, type FieldProblem } from '#kit/index.ts';
import type { DraftExample, Outcome, PublishedVersion, ResourceKind, RunContext } from '#resources/index.ts';
import type { ChatMessage } from '#upstreams/index.ts';
import { chatAnswer, chatAnswerExample } from '../chat-answer.ts';
import { chatEvidence } from '../chat-evidence.ts';
import { chatSettings, modelName, templateText, type ChatSettings } from '../chat-settings.ts';
import { checkModel, findModelFault } from '../check-model.ts';
import type { ExecutionDeps } from '../execution-deps.ts';
import { findOpenRouterKey, NO_KEY, OPENROUTER } from '../find-key.ts';
import { checkPrompt, compilePrompt, renderMessages } from '../prompt.ts';
import { remember } from '../remember.ts';
import { failBefore, runChat } from '../run-chat.ts';
import { toChatRequest } from '../to-chat-request.ts';

/** The name of the secret of the resource that holds the key itself. */
const UPSTREAM_KEY_FIELD = 'upstream_api_key';

const upstreamSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('openrouter') }),
  z.strictObject({
    type: z.literal('chat_completions'),
    /** Such as `https://api.example.com/v1`; `/chat/completions` is added. */
    baseUrl: z.string().max(2_000),
    apiKeySecret: z.literal(UPSTREAM_KEY_FIELD).default(UPSTREAM_KEY_FIELD),
  }),
]);

const configSchema = z.strictObject({
  systemPrompt: templateText,
  allowsUserMessage: z.boolean().default(false).describe('Buyers may add a text of their own as `user_message`.'),
  model: modelName,
  upstream: upstreamSchema
    .default({ type: 'openrouter' })
    .describe(
      'What runs it: {"type": "openrouter"}, or {"type": "chat_completions", "baseUrl": "https://…/v1"} with its key stored by PUT /api/resources/{id}/secrets/upstream_api_key.',
    ),
  ...chatSettings,
});

type PromptConfig = z.output<typeof configSchema>;
type Prepared = { config: PromptConfig; prompt: ReturnType<typeof compilePrompt> };

/** Documents show it, and a test publishes and buys it as it stands. */
const example: DraftExample = {
  slug: 'plain-words',
  name: 'In plain words',
  description: 'Rewrites the text that you send as user_message for the reader that you name.',
  category: 'ai',
  priceUsdc: '0.02',
  parameters: [{ name: 'reader', description: 'Who should understand it.', maxLength: 80, example: 'a child' }],
  config: {
    model: 'anthropic/claude-haiku-4.5',
    systemPrompt: 'Rewrite what the user sends in plain words for {reader}{/reader}. Keep every fact.',
    allowsUserMessage: true,
    upstream: { type: 'openrouter' },
    maxTokens: 800,
  },
  userMessage: 'The aforementioned party shall remit payment within thirty days.',
};

/** A prompt on OpenRouter or on any upstream that speaks chat completions; buyers may add a message of their own. */
export function openPromptTemplate(deps: ExecutionDeps): ResourceKind<PromptConfig> {
  const prepare = remember((version: PublishedVersion): Prepared => {
    const config = configSchema.parse(version.config);
    return { config, prompt: compilePrompt(config, version.parameters) };
  });
  return {
    name: 'prompt_template',
    title: 'Prompt template',
    summary:
      'A prompt template on OpenRouter or on any upstream that speaks chat completions; buyers may add a message.',
    configSchema,
    evidenceSchema: chatEvidence,
    answerSchema: chatAnswer,
    answerExample: chatAnswerExample,
    examples: [example],
    templateFields: ['systemPrompt'],
    settlementPoints: ['on_success', 'upfront'],
    allowsUserMessage: (config) => config.allowsUserMessage,
    integrationOf: (config) => (config.upstream.type === 'openrouter' ? OPENROUTER : null),
    checkPublishable: async (config, parameters) => [
      ...checkPrompt(config, parameters),
      ...(await checkUpstream(deps, config)),
    ],
    toPublic: (config) => ({
      model: config.model,
      maxTokens: config.maxTokens,
      allowsUserMessage: config.allowsUserMessage,
    }),
    isReady: async (version) => {
      const cause = await findFault(deps, prepare(version).config, version);
      return cause === null ? { ready: true } : { ready: false, cause };
    },
    run: async (version, input, context) => {
      const { config, prompt } = prepare(version);
      const messages = renderMessages(prompt, input, toUserMessage(config, input));
      const call = { version, context, config, messages };
      return config.upstream.type === 'openrouter'
        ? runOnOpenRouter(deps, call)
        : runOnChatCompletions(deps, call, config.upstream.baseUrl);
    },
  };
}

const NO_UPSTREAM_KEY = 'key_missing: No API key is stored for the upstream of this resource.';

interface PromptCall {
  version: PublishedVersion;
  context: RunContext;
  config: PromptConfig;
  messages: ChatMessage[];
}

async function runOnOpenRouter(deps: ExecutionDeps, call: PromptCall): Promise<Outcome> {
  const { version, context, config, messages } = call;
  const model = await deps.findModel(config.model);
  const key = await findOpenRouterKey(deps, version);
  if (model === null || key === null) {
    return failBefore(findModelFault(model, config.model, deps.clock) ?? NO_KEY);
  }
  const request = toChatRequest({ model, settings: config, messages });
  return runChat(deps, { version, context, upstream: deps.openRouter, key, request });
}

async function runOnChatCompletions(deps: ExecutionDeps, call: PromptCall, baseUrl: string): Promise<Outcome> {
  const { version, context, config, messages } = call;
  const apiKey = await deps.openUpstreamKey(version);
  const urlFault = findUrlFault(deps, baseUrl);
  if (apiKey === null || urlFault !== null) {
    return failBefore(urlFault === null ? NO_UPSTREAM_KEY : `upstream_url: ${urlFault}`);
  }
  const { maxTokens, temperature, topP, frequencyPenalty, presencePenalty }: ChatSettings = config;
  const request = { model: config.model, messages, maxTokens, temperature, topP, frequencyPenalty, presencePenalty };
  const key = { apiKey, source: 'upstream' } as const;
  return runChat(deps, { version, context, upstream: deps.chatCompletions.at(baseUrl), key, request });
}

/** Why a call would fail now; null when it would not. */
async function findFault(deps: ExecutionDeps, config: PromptConfig, version: PublishedVersion): Promise<string | null> {
  if (config.upstream.type === 'chat_completions') {
    return (await deps.openUpstreamKey(version)) === null ? NO_UPSTREAM_KEY : null;
  }
  const fault = findModelFault(await deps.findModel(config.model), config.model, deps.clock);
  return fault ?? ((await findOpenRouterKey(deps, version)) ? null : NO_KEY);
}

async function checkUpstream(deps: ExecutionDeps, config: PromptConfig): Promise<FieldProblem[]> {
  if (config.upstream.type === 'openrouter') {
    const model = await deps.findModel(config.model);
    return checkModel({ model, modelId: config.model, path: '/config/model', settings: config, clock: deps.clock });
  }
  const urlFault = findUrlFault(deps, config.upstream.baseUrl);
  return [
    ...(config.model.trim() === '' ? [{ path: '/config/model', message: 'Name the model of the upstream.' }] : []),
    ...(urlFault === null ? [] : [{ path: '/config/upstream/baseUrl', message: urlFault }]),
    ...(config.imageConfig
      ? [{ path: '/config/imageConfig', message: 'Images are made only through OpenRouter.' }]
      : []),
  ];
}

function findUrlFault(deps: ExecutionDeps, baseUrl: string): string | null {
  try {
    deps.outbound.open(baseUrl);
    return null;
  } catch (error) {
    if (error instanceof Problem) {
      return error.message;
    }
    throw error;
  }
}

/** Checked against the version's input schema before the call. */
function toUserMessage(config: PromptConfig, input: Record<string, unknown>): string | undefined {
  const message = input['user_message'];
  return config.allowsUserMessage && typeof message === 'string' ? message : undefined;
}
