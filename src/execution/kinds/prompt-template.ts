import { z } from 'zod';
import { Problem, type FieldProblem } from '#kit/index.ts';
import type {
  CostQuote,
  DraftExample,
  Outcome,
  Parameter,
  PublishedVersion,
  Readiness,
  ResourceKind,
  RunContext,
} from '#resources/index.ts';
import type { ChatMessage } from '#upstreams/index.ts';
import { askOpenRouter, holdOpenRouter } from '../ask-openrouter.ts';
import { chatAnswer, chatAnswerExample } from '../chat-answer.ts';
import { chatEvidence } from '../chat-evidence.ts';
import { chatSettings, modelName, templateText, type ChatSettings } from '../chat-settings.ts';
import { checkModel } from '../check-model.ts';
import { checkProvider, explainUnpriced, warnOfProviders } from '../check-provider.ts';
import { expectCost, withExpectedCost } from '../expect-cost.ts';
import type { ExecutionDeps } from '../execution-deps.ts';
import { findOpenRouterKey, OPENROUTER, type Wanted } from '../find-key.ts';
import { listModelWarnings } from '../list-model-warnings.ts';
import { measureMessages, measurePrompt } from '../measure-prompt.ts';
import { chooseModels, findNamedModel, toShownName } from '../named-model.ts';
import { checkPrompt, compilePrompt, renderMessages } from '../prompt.ts';
import { toPromises } from '../provider-settings.ts';
import { quoteCost } from '../quote-cost.ts';
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
  priceUsdc: '0.15',
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
    listWarnings: async (config, { parameters, offers }) => {
      const named = toModelIds(config).map((modelId) => ({ modelId, path: '/config/model' }));
      // Elsewhere than on OpenRouter nothing is known of models and prices.
      return named.length === 0
        ? []
        : [
            ...(await warnOfProviders(deps, [config.model], config)),
            ...(await listModelWarnings(deps, { named, offers, quote: await quote(deps, config, { parameters }) })),
          ];
    },
    modelIdsOf: toModelIds,
    quoteCost: (config, parameters, { input }) => quote(deps, config, { parameters, input }),
    explainUnpriced: (config) => explainUnpriced(deps, toModelIds(config), config),
    toPublic: (config) => ({
      model: config.upstream.type === 'openrouter' ? toShownName(config.model) : config.model,
      maxTokens: config.maxTokens,
      sellsTruncated: config.sellsTruncated,
      allowsUserMessage: config.allowsUserMessage,
      ...toPromises(config.provider),
    }),
    isReady: async (version) => {
      const prepared = prepare(version);
      return prepared.config.upstream.type === 'openrouter'
        ? askOpenRouter(deps, version, toWanted(deps, prepared, version.parameters))
        : askUpstreamKey(deps, version);
    },
    holdRun: async (version, callId) => {
      const prepared = prepare(version);
      const wanted = toWanted(deps, prepared, version.parameters);
      return prepared.config.upstream.type === 'openrouter'
        ? holdOpenRouter(deps, version, { ...wanted, callId })
        : { ready: true };
    },
    releaseRun: async (callId) => deps.platformKey?.budget?.release(callId),
    showPrompt: (version, input) => {
      const { config, prompt } = prepare(version);
      return renderMessages(prompt, input, toUserMessage(config, input));
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

const NO_UPSTREAM_KEY =
  'key_missing: No API key is stored for the upstream of this resource. Store one with PUT /api/resources/{id}/secrets/upstream_api_key {"value": "…"}.';

interface PromptCall {
  version: PublishedVersion;
  context: RunContext;
  config: PromptConfig;
  messages: ChatMessage[];
}

async function runOnOpenRouter(deps: ExecutionDeps, call: PromptCall): Promise<Outcome> {
  const { version, context, config, messages } = call;
  const { usable: models, faults } = await chooseModels(deps, toModelIds(config));
  const key = await findOpenRouterKey(deps, version);
  if (models.length === 0 || key === null) {
    return failBefore(faults[0]?.fault ?? (await deps.explainMissingKey(version.ownerId, OPENROUTER)));
  }
  const asked = { models, settings: config, messages };
  const { sellsTruncated } = config;
  const run = { version, context, upstream: deps.openRouter, key, request: toChatRequest(asked), sellsTruncated };
  return withExpectedCost(await runChat(deps, run), expectCost(asked));
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
  const upstream = deps.chatCompletions.at(baseUrl);
  return runChat(deps, { version, context, upstream, key, request, sellsTruncated: config.sellsTruncated });
}

/** The models of the catalogue: none for an upstream that is not OpenRouter. */
function toModelIds({ upstream, model }: PromptConfig): string[] {
  return upstream.type === 'openrouter' ? [model] : [];
}

/** What is asked of the key that pays for a run. */
function toWanted(deps: ExecutionDeps, prepared: Prepared, parameters: Parameter[]): Wanted {
  return {
    models: toModelIds(prepared.config),
    quoteWorst: async () => (await quotePrepared(deps, prepared, { parameters }))?.worstUsd ?? null,
  };
}

/** Any input that the parameters allow, or this one. */
interface Asked {
  parameters: Parameter[];
  input?: Record<string, unknown> | undefined;
}

/** Null too while the template cannot be read. */
async function quote(
  deps: ExecutionDeps,
  config: PromptConfig,
  { parameters, input }: Asked,
): Promise<CostQuote | null> {
  return checkPrompt(config, parameters).length > 0
    ? null
    : quotePrepared(deps, { config, prompt: compilePrompt(config, parameters) }, { parameters, input });
}

async function quotePrepared(
  deps: ExecutionDeps,
  { config, prompt: compiled }: Prepared,
  { parameters, input }: Asked,
): Promise<CostQuote | null> {
  const prompt =
    input === undefined
      ? measurePrompt(compiled, parameters, config)
      : measureMessages(renderMessages(compiled, input, toUserMessage(config, input)));
  const { usable: models } = await chooseModels(deps, toModelIds(config));
  return quoteCost({ models, settings: config, prompt, feePercent: deps.creditFeePercent });
}

async function askUpstreamKey(deps: ExecutionDeps, version: PublishedVersion): Promise<Readiness> {
  return (await deps.openUpstreamKey(version)) === null ? { ready: false, cause: NO_UPSTREAM_KEY } : { ready: true };
}

async function checkUpstream(deps: ExecutionDeps, config: PromptConfig): Promise<FieldProblem[]> {
  if (config.upstream.type === 'openrouter') {
    const { model } = await findNamedModel(deps, config.model);
    const nearest = model === null ? await deps.findNearestModels(config.model) : [];
    const named = { model, modelId: config.model, path: '/config/model', nearest };
    return [
      ...checkModel({ ...named, settings: config, clock: deps.clock }),
      ...(await checkProvider(deps, [config.model], config)),
    ];
  }
  const urlFault = findUrlFault(deps, config.upstream.baseUrl);
  return [
    ...(config.model.trim() === '' ? [{ path: '/config/model', message: 'Name the model of the upstream.' }] : []),
    ...(urlFault === null ? [] : [{ path: '/config/upstream/baseUrl', message: urlFault }]),
    ...(config.provider
      ? [{ path: '/config/provider', message: 'Providers are chosen only for models of OpenRouter.' }]
      : []),
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
