import { z } from 'zod';
import type { Outcome, Parameter, PublishedVersion, ResourceKind, RunContext } from '#resources/index.ts';
import { askOpenRouter, holdOpenRouter } from '../ask-openrouter.ts';
import { anyAnswer, chatAnswer, chatAnswerExample, spokenAnswer, textAnswer } from '../chat-answer.ts';
import { chatEvidence } from '../chat-evidence.ts';
import { chatSettings, modelName, templateText } from '../chat-settings.ts';
import { warnOfProviders } from '../check-provider.ts';
import { expectCost, refuseLoss, withExpectedCost } from '../expect-cost.ts';
import { checkDeclared, declaredModel, toKnownModel } from '../declared-model.ts';
import type { ExecutionDeps, KnownModel } from '../execution-deps.ts';
import { fillSettings } from '../fill-settings.ts';
import { findOpenRouterKey, OPENROUTER, type FoundKey, type Wanted } from '../find-key.ts';
import { attachFiles, type Attachments } from '../inputs/attach-files.ts';
import {
  checkModels,
  chooseForm,
  chooseRoute,
  explainRoute,
  listRouteWarnings,
  quoteInstant,
} from '../instant-route.ts';
import { listModelWarnings } from '../list-model-warnings.ts';
import { measureMessages } from '../measure-prompt.ts';
import { mediaAnswers, mediaExamples } from '../media-answer.ts';
import { mediaSettings } from '../media-settings.ts';
import { findRoute, type ModelRoute } from '../model-route.ts';
import { chooseModels, toShownName, type UsableModel } from '../named-model.ts';
import { checkOutputSchema, openContract, warnOfSchema, type OutputContract } from '../output-contract.ts';
import { toShownPictures } from '../picture-inputs.ts';
import { compilePrompt, renderMessages, renderTexts, showMessages } from '../prompt.ts';
import { toPromises } from '../provider-settings.ts';
import { checkTemplates, quotePrompt, toWanted, type QuotedPrompt } from '../quote-prompt.ts';
import { remember } from '../remember.ts';
import { failBefore, runChat } from '../run-chat.ts';
import { runMedia } from '../run-media.ts';
import { toChatRequest } from '../to-chat-request.ts';
import { instantExamples } from './instant-examples.ts';

const configSchema = z.strictObject({
  modelId: modelName,
  systemPrompt: templateText,
  userMessage: templateText
    .optional()
    .describe('A template of what the user says; without it the system prompt is all that is sent.'),
  fallbackModels: z
    .array(modelName)
    .max(3)
    .optional()
    .describe(
      'Asked in order when the model fails, and in its place when it is gone; OpenRouter bills only the one that answers. Outside of chats (pictures alone, speech, films …) only in its place when it is gone.',
    ),
  declaredModel,
  ...chatSettings,
  ...mediaSettings,
});

type InstantConfig = z.output<typeof configSchema>;

interface Prepared {
  config: InstantConfig;
  prompt: ReturnType<typeof compilePrompt>;
  contract: OutputContract | null;
  declared: KnownModel | null;
}

const answers = { chat: chatAnswer, text: textAnswer, spoken: spokenAnswer, ...mediaAnswers };
const chatExamples = { chat: chatAnswerExample, text: chatAnswerExample, spoken: chatAnswerExample };
const answerExamples = { ...chatExamples, ...mediaExamples };

/** A prompt with parameters on one model of OpenRouter, run with the creator's key. */
export function openOpenRouterInstant(deps: ExecutionDeps): ResourceKind<InstantConfig> {
  const prepare = remember((version: PublishedVersion): Prepared => {
    const config = configSchema.parse(version.config);
    return toPrepared(config, version.parameters);
  });
  const ask = (version: PublishedVersion): Wanted => {
    const { config, prompt } = prepare(version);
    return toWanted(deps, prompt, toQuoted(config, version.parameters));
  };
  /** By the config of a version, as last seen when it was asked whether it can run, which comes before each offer. */
  const forms = new WeakMap<object, keyof typeof answers>();
  return {
    name: 'openrouter_instant',
    title: 'OpenRouter Instant',
    summary:
      'A prompt template on a model of OpenRouter for text, pictures, sound, films, transcripts, embeddings or ranking, run with your OpenRouter key.',
    configSchema,
    evidenceSchema: chatEvidence,
    answerSchema: anyAnswer,
    answerExample: chatAnswerExample,
    answerOf: (config) => {
      const form = forms.get(config);
      return form ? { schema: answers[form], example: answerExamples[form] } : null;
    },
    examples: instantExamples,
    templateFields: ['systemPrompt', 'userMessage'],
    readsFiles: true,
    settlementPoints: ['on_success', 'at_first_output', 'upfront'],
    integrationOf: () => OPENROUTER,
    checkPublishable: async (config, parameters) => [
      ...(await checkTemplates(deps, config, toQuoted(config, parameters))),
      ...checkOutputSchema(config.outputSchema),
      ...(await checkModels(deps, toNamed(config), { settings: config, parameters })),
      ...(await checkDeclared(deps, config.modelId, config.declaredModel)),
    ],
    listWarnings: async (config, { parameters, offers }) => {
      const named = toNamed(config);
      const quote = await quotePrompt(deps, config, toQuoted(config, parameters));
      return [
        ...warnOfSchema(config.outputSchema),
        ...(await warnOfProviders(deps, toModelIds(config), config)),
        ...(await listModelWarnings(deps, { ...named, offers, quote })),
        ...listRouteWarnings(await chooseRoute(deps, toModelIds(config), named), quote, config),
      ];
    },
    modelIdsOf: toModelIds,
    withModel: ({ declaredModel: declared, ...config }, modelId) => ({
      ...config,
      ...(declared !== undefined && modelId === config.modelId ? { declaredModel: declared } : {}),
      modelId,
      fallbackModels: [],
    }),
    quoteCost: (config, parameters, { input }) => quotePrompt(deps, config, { ...toQuoted(config, parameters), input }),
    explainUnpriced: (config) => explainRoute(deps, toModelIds(config), { ...config, declared: toDeclared(config) }),
    outputOf: openContract,
    sellsOnlyWhole: ({ sellsTruncated }) => !sellsTruncated,
    toPublic: ({ modelId, maxTokens, sellsTruncated, declaredModel: declared, webSearch, provider, ...media }) => ({
      model: toShownName(modelId),
      ...toShownPictures(media),
      ...(declared === undefined ? {} : { isModelDeclared: true }),
      maxTokens,
      sellsTruncated,
      ...(webSearch === undefined ? {} : { searchesWeb: true }),
      ...toPromises(provider),
    }),
    isReady: async (version) => {
      const { config, declared } = prepare(version);
      const { audio } = config;
      forms.set(version.config as object, await chooseForm(deps, toModelIds(config), { declared, audio }));
      return askOpenRouter(deps, version, ask(version));
    },
    holdRun: async (version, callId, runs) => holdOpenRouter(deps, version, { ...ask(version), callId, runs }),
    releaseRun: async (callId) => deps.platformKey?.budget?.release(callId),
    showPrompt: (version, input) => showMessages(prepare(version).prompt, { input, parameters: version.parameters }),
    run: (version, input, context) =>
      runInstant(deps, { ...prepare(version), version, input, context, wanted: ask(version) }),
  };
}

interface InstantCall extends Prepared {
  version: PublishedVersion;
  input: Record<string, unknown>;
  context: RunContext;
  wanted: Wanted;
}

/** By the route of the first model that can run. */
async function runInstant(deps: ExecutionDeps, call: InstantCall): Promise<Outcome> {
  const { version, input, wanted } = call;
  const { usable: models, faults } = await chooseModels(deps, wanted.models, wanted);
  const key = await findOpenRouterKey(deps, version);
  const [first] = models;
  if (first === undefined || key === null) {
    return failBefore(faults[0]?.fault ?? (await deps.explainMissingKey(version.ownerId, OPENROUTER)));
  }
  const attached = await attachFiles(deps, version.parameters, input);
  if (!attached.ok) {
    return failBefore(attached.cause, attached.problem);
  }
  const isDeclared = models.some((model) => model.isDeclared);
  const ready = { ...call, models, key, isDeclared, files: attached.files, inputs: attached.parameters };
  const route = findRoute(first.model) ?? 'chat';
  return route === 'chat' ? runAsChat(deps, ready) : runByRoute(deps, route, ready);
}

interface ReadyCall extends InstantCall {
  models: readonly UsableModel[];
  key: FoundKey;
  isDeclared: boolean;
  files: Attachments;
  inputs: Parameter[];
}

async function runAsChat(deps: ExecutionDeps, call: ReadyCall): Promise<Outcome> {
  const { version, context, key, models, config, contract, isDeclared, files, inputs } = call;
  const messages = renderMessages(call.prompt, call.input, { files });
  const asked = { models, settings: config, messages, inputs, contract, feePercent: deps.creditFeePercent };
  const expected = expectCost(asked);
  const refused = refuseLoss(call, expected);
  if (refused !== null) {
    return refused;
  }
  const { sellsTruncated } = config;
  const request = toChatRequest(asked);
  const run = { version, context, upstream: deps.openRouter, key, request, sellsTruncated, contract, isDeclared };
  return withExpectedCost(await runChat(deps, run), expected);
}

/** Files are no part of the prompt there: they are worked on instead of it, or sent beside it. */
async function runByRoute(deps: ExecutionDeps, route: Exclude<ModelRoute, 'chat'>, call: ReadyCall): Promise<Outcome> {
  const { version, context, key, models, config, isDeclared, files, input, inputs } = call;
  const { parameters } = version;
  const texts = renderTexts(call.prompt, { input, parameters });
  const settings = fillSettings(config, input);
  const about = { version, context, key, route, settings, parameters, input, files, isDeclared };
  const run = {
    ...about,
    prompt: texts.join('\n\n'),
    modelId: models[0]?.model.openrouterId ?? '',
    request: { model: models[0]?.wireName ?? '' },
  };
  const prompt = measureMessages(texts.map((content) => ({ content })));
  const asked = { models, prompt, feePercent: deps.creditFeePercent };
  const sent = inputs.map((parameter) => ({ ...parameter, required: true }));
  const expected = await quoteInstant(deps, asked, { settings: config, parameters, sent });
  return refuseLoss(call, expected) ?? withExpectedCost(await runMedia(deps, run), expected);
}

function toPrepared(config: InstantConfig, parameters: Parameter[]): Prepared {
  const prompt = compilePrompt(config, parameters);
  return { config, prompt, contract: openContract(config), declared: toDeclared(config) };
}

function toDeclared({ declaredModel: declared }: InstantConfig): KnownModel | null {
  return declared === undefined ? null : toKnownModel(declared);
}

function toModelIds({ modelId, fallbackModels = [] }: InstantConfig): string[] {
  return [modelId, ...fallbackModels];
}

function listNamed(config: InstantConfig): { modelId: string; path: string }[] {
  return toModelIds(config).map((modelId, index) => ({
    modelId,
    path: index === 0 ? '/config/modelId' : `/config/fallbackModels/${index - 1}`,
  }));
}

/** What a quote needs to know. */
function toQuoted(config: InstantConfig, parameters: readonly Parameter[]): QuotedPrompt {
  const declared = toDeclared(config);
  const models = toModelIds(config);
  return { models, settings: config, media: config, parameters, allowsUserMessage: false, declared };
}

function toNamed(config: InstantConfig) {
  return { named: listNamed(config), declared: toDeclared(config) };
}
