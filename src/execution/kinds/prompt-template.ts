import { z } from 'zod';
import type { FieldProblem } from '#kit/index.ts';
import type {
  DraftExample,
  Outcome,
  Parameter,
  PublishedVersion,
  ResourceKind,
  RunContext,
  VersionOffer,
} from '#resources/index.ts';
import type { ChatMessage } from '#upstreams/index.ts';
import { askOpenRouter, holdOpenRouter } from '../ask-openrouter.ts';
import { chatAnswer, chatAnswerExample } from '../chat-answer.ts';
import { chatEvidence } from '../chat-evidence.ts';
import {
  askChatPlace,
  chatPlace,
  checkChatPlace,
  listPlaceModels,
  openChatPlace,
  toPlainRequest,
  type ChatPlace,
} from '../chat-place.ts';
import { chatSettings, modelName, templateText } from '../chat-settings.ts';
import { checkModel } from '../check-model.ts';
import { checkProvider, explainUnpriced, warnOfProviders } from '../check-provider.ts';
import { expectCost, refuseLoss, withExpectedCost } from '../expect-cost.ts';
import { checkDeclared, declaredModel, toKnownModel } from '../declared-model.ts';
import type { ExecutionDeps, KnownModel } from '../execution-deps.ts';
import { findOpenRouterKey, OPENROUTER, type Wanted } from '../find-key.ts';
import { attachFiles } from '../inputs/attach-files.ts';
import { checkAccepted, checkInputs, inputModalities } from '../inputs/input-modalities.ts';
import { listModelWarnings } from '../list-model-warnings.ts';
import { chooseModels, findNamedModel, toShownName } from '../named-model.ts';
import { checkOutputSchema, openContract, warnOfSchema, type OutputContract } from '../output-contract.ts';
import { checkPrompt, compilePrompt, renderMessages, showMessages } from '../prompt.ts';
import { toPromises } from '../provider-settings.ts';
import { quotePrompt, toWanted, type QuotedPrompt } from '../quote-prompt.ts';
import { remember } from '../remember.ts';
import { failBefore, runChat } from '../run-chat.ts';
import { toChatRequest } from '../to-chat-request.ts';

const configSchema = z.strictObject({
  systemPrompt: templateText,
  acceptsMedia: z
    .array(z.enum(inputModalities))
    .default([])
    .describe('What an upstream that is not OpenRouter reads beside text; of OpenRouter the catalogue tells.'),
  allowsUserMessage: z.boolean().default(false).describe('Buyers may add a text of their own as `user_message`.'),
  model: modelName,
  upstream: z
    .discriminatedUnion('type', [z.strictObject({ type: z.literal('openrouter') }), chatPlace])
    .default({ type: 'openrouter' })
    .describe(
      'What runs it: {"type": "openrouter"}, or {"type": "chat_completions", "baseUrl": "https://…/v1"} with its key stored by PUT /api/resources/{id}/secrets/upstream_api_key, or {"apiKeySecret": null} where it takes none. Private addresses have to be allowed by the operator (UPSTREAM_ORIGINS).',
    ),
  declaredModel,
  ...chatSettings,
});

type PromptConfig = z.output<typeof configSchema>;
interface Prepared {
  config: PromptConfig;
  prompt: ReturnType<typeof compilePrompt>;
  contract: OutputContract | null;
  declared: KnownModel | null;
}

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
    const prompt = compilePrompt(config, version.parameters);
    return { config, prompt, contract: openContract(config), declared: toDeclared(config) };
  });
  const ask = (version: PublishedVersion): Wanted => {
    const { config, prompt } = prepare(version);
    return toWanted(deps, prompt, toQuoted(config, version.parameters));
  };
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
    readsFiles: true,
    settlementPoints: ['on_success', 'at_first_output', 'upfront'],
    allowsUserMessage: (config) => config.allowsUserMessage,
    integrationOf: (config) => (config.upstream.type === 'openrouter' ? OPENROUTER : null),
    checkPublishable: async (config, parameters) => [
      ...checkPrompt(config, parameters),
      ...checkOutputSchema(config.outputSchema),
      ...(await checkUpstream(deps, config, parameters)),
    ],
    listWarnings: (config, draft) => listWarnings(deps, config, draft),
    modelIdsOf: toModelIds,
    withModel: ({ declaredModel: declared, ...config }, model) => ({
      ...config,
      ...(declared !== undefined && model === config.model ? { declaredModel: declared } : {}),
      model,
    }),
    quoteCost: (config, parameters, { input }) => quotePrompt(deps, config, { ...toQuoted(config, parameters), input }),
    explainUnpriced: (config) => explainUnpriced(deps, toModelIds(config), { ...config, declared: toDeclared(config) }),
    outputOf: openContract,
    sellsOnlyWhole: ({ sellsTruncated }) => !sellsTruncated,
    toPublic,
    isReady: async (version) => {
      const { upstream } = prepare(version).config;
      return upstream.type === 'openrouter'
        ? askOpenRouter(deps, version, ask(version))
        : askChatPlace(deps, version, upstream);
    },
    holdRun: async (version, callId, runs) =>
      prepare(version).config.upstream.type === 'openrouter'
        ? holdOpenRouter(deps, version, { ...ask(version), callId, runs })
        : { ready: true },
    releaseRun: async (callId) => deps.platformKey?.budget?.release(callId),
    listUpstreamModels: async (version) => {
      const { upstream, model } = prepare(version).config;
      return upstream.type === 'openrouter'
        ? { models: [], isListed: null, problem: 'OpenRouter runs this: GET /api/models lists its models.' }
        : listPlaceModels(deps, version, { ...upstream, model });
    },
    showPrompt: (version, input) => {
      const { config, prompt } = prepare(version);
      const { parameters } = version;
      return showMessages(prompt, { input, parameters, userMessage: toUserMessage(config, input) });
    },
    run: async (version, input, context) => {
      const prepared = prepare(version);
      const attached = await attachFiles(deps, version.parameters, input);
      if (!attached.ok) {
        return failBefore(attached.cause, attached.problem);
      }
      const said = { userMessage: toUserMessage(prepared.config, input), files: attached.files };
      const messages = renderMessages(prepared.prompt, input, said);
      const call = { ...prepared, version, input, context, messages, inputs: attached.parameters };
      const { upstream } = prepared.config;
      return upstream.type === 'openrouter'
        ? runOnOpenRouter(deps, call, ask(version))
        : runOnChatCompletions(deps, call, upstream);
    },
  };
}

async function listWarnings(
  deps: ExecutionDeps,
  config: PromptConfig,
  { parameters, offers }: { parameters: Parameter[]; offers: readonly VersionOffer[] },
): Promise<FieldProblem[]> {
  const named = toModelIds(config).map((modelId) => ({ modelId, path: '/config/model' }));
  // Elsewhere than on OpenRouter nothing is known of models and prices.
  if (named.length === 0) {
    return warnOfSchema(config.outputSchema);
  }
  const quote = await quotePrompt(deps, config, toQuoted(config, parameters));
  return [
    ...warnOfSchema(config.outputSchema),
    ...(await warnOfProviders(deps, [config.model], config)),
    ...(await listModelWarnings(deps, { named, declared: toDeclared(config), offers, quote })),
  ];
}

function toPublic(config: PromptConfig): Record<string, unknown> {
  return {
    model: config.upstream.type === 'openrouter' ? toShownName(config.model) : config.model,
    ...(config.declaredModel === undefined ? {} : { isModelDeclared: true }),
    maxTokens: config.maxTokens,
    sellsTruncated: config.sellsTruncated,
    allowsUserMessage: config.allowsUserMessage,
    ...(config.webSearch === undefined ? {} : { searchesWeb: true }),
    ...toPromises(config.provider),
  };
}

interface PromptCall extends Prepared {
  version: PublishedVersion;
  input: Record<string, unknown>;
  context: RunContext;
  messages: ChatMessage[];
  /** Parameters whose files the messages hold. */
  inputs: Parameter[];
}

async function runOnOpenRouter(deps: ExecutionDeps, call: PromptCall, wanted: Wanted): Promise<Outcome> {
  const { version, context, config, messages, inputs, contract } = call;
  const { usable: models, faults } = await chooseModels(deps, wanted.models, wanted);
  const key = await findOpenRouterKey(deps, version);
  if (models.length === 0 || key === null) {
    return failBefore(faults[0]?.fault ?? (await deps.explainMissingKey(version.ownerId, OPENROUTER)));
  }
  const asked = { models, settings: config, messages, inputs, contract, feePercent: deps.creditFeePercent };
  const expected = expectCost(asked);
  const refused = refuseLoss(call, expected);
  if (refused !== null) {
    return refused;
  }
  const outcome = await runChat(deps, {
    version,
    context,
    upstream: deps.openRouter,
    key,
    request: toChatRequest(asked),
    sellsTruncated: config.sellsTruncated,
    contract,
    isDeclared: models.some(({ isDeclared }) => isDeclared),
  });
  return withExpectedCost(outcome, expected);
}

async function runOnChatCompletions(deps: ExecutionDeps, call: PromptCall, place: ChatPlace): Promise<Outcome> {
  const { version, context, config, messages, contract } = call;
  const found = await openChatPlace(deps, version, place);
  if ('fault' in found) {
    return failBefore(found.fault);
  }
  const { key, upstream } = found;
  const request = toPlainRequest({ model: config.model, settings: config, messages, contract });
  return runChat(deps, { version, context, upstream, key, request, sellsTruncated: config.sellsTruncated, contract });
}

function toDeclared({ declaredModel: declared }: PromptConfig): KnownModel | null {
  return declared === undefined ? null : toKnownModel(declared);
}

/** The models of the catalogue: none for an upstream that is not OpenRouter. */
function toModelIds({ upstream, model }: PromptConfig): string[] {
  return upstream.type === 'openrouter' ? [model] : [];
}

/** What a quote needs to know. */
function toQuoted(config: PromptConfig, parameters: readonly Parameter[]): QuotedPrompt {
  const { allowsUserMessage } = config;
  const declared = toDeclared(config);
  return { models: toModelIds(config), settings: config, parameters, allowsUserMessage, declared };
}

async function checkUpstream(
  deps: ExecutionDeps,
  config: PromptConfig,
  parameters: readonly Parameter[],
): Promise<FieldProblem[]> {
  if (config.upstream.type === 'openrouter') {
    const { pdfEngine } = config;
    const { model } = await findNamedModel(deps, config.model, toDeclared(config));
    const nearest = model === null ? await deps.findNearestModels(config.model) : [];
    const named = { model, modelId: config.model, path: '/config/model', nearest };
    return [
      ...checkModel({ ...named, settings: config, clock: deps.clock }),
      ...checkInputs(model, { parameters, pdfEngine }),
      ...(await checkDeclared(deps, config.model, config.declaredModel)),
      ...(await checkProvider(deps, [config.model], config)),
    ];
  }
  return [...checkChatPlace(deps, config.upstream, config), ...checkAccepted(config.acceptsMedia, parameters)];
}

/** Checked against the version's input schema before the call. */
function toUserMessage(config: PromptConfig, input: Record<string, unknown>): string | undefined {
  const message = input['user_message'];
  return config.allowsUserMessage && typeof message === 'string' ? message : undefined;
}
