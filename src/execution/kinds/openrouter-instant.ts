import { z } from 'zod';
import type { FieldProblem } from '#kit/index.ts';
import type { Outcome, Parameter, PublishedVersion, ResourceKind, RunContext } from '#resources/index.ts';
import { askOpenRouter, holdOpenRouter } from '../ask-openrouter.ts';
import { chatAnswer, chatAnswerExample } from '../chat-answer.ts';
import { chatEvidence } from '../chat-evidence.ts';
import { chatSettings, modelName, templateText } from '../chat-settings.ts';
import { checkModel } from '../check-model.ts';
import { checkProvider, explainUnpriced, warnOfProviders } from '../check-provider.ts';
import { expectCost, withExpectedCost } from '../expect-cost.ts';
import { checkDeclared, declaredModel, toKnownModel } from '../declared-model.ts';
import type { ExecutionDeps, KnownModel } from '../execution-deps.ts';
import { findOpenRouterKey, OPENROUTER, type Wanted } from '../find-key.ts';
import { attachFiles } from '../inputs/attach-files.ts';
import { checkInputs } from '../inputs/input-modalities.ts';
import { listModelWarnings } from '../list-model-warnings.ts';
import { chooseModels, findNamedModel, toShownName } from '../named-model.ts';
import { checkOutputSchema, openContract, warnOfSchema, type OutputContract } from '../output-contract.ts';
import { checkPrompt, compilePrompt, renderMessages, showMessages } from '../prompt.ts';
import { toPromises } from '../provider-settings.ts';
import { quotePrompt, toWanted, type QuotedPrompt } from '../quote-prompt.ts';
import { remember } from '../remember.ts';
import { failBefore, runChat } from '../run-chat.ts';
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
      'Asked in order when the model fails, and in its place when it is gone; OpenRouter bills only the one that answers.',
    ),
  declaredModel,
  ...chatSettings,
});

type InstantConfig = z.output<typeof configSchema>;
interface Prepared {
  config: InstantConfig;
  prompt: ReturnType<typeof compilePrompt>;
  contract: OutputContract | null;
  declared: KnownModel | null;
}

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
  return {
    name: 'openrouter_instant',
    title: 'OpenRouter Instant',
    summary: 'A prompt template on a model of OpenRouter, run with your OpenRouter key.',
    configSchema,
    evidenceSchema: chatEvidence,
    answerSchema: chatAnswer,
    answerExample: chatAnswerExample,
    examples: instantExamples,
    templateFields: ['systemPrompt', 'userMessage'],
    readsFiles: true,
    settlementPoints: ['on_success', 'upfront'],
    integrationOf: () => OPENROUTER,
    checkPublishable: async (config, parameters) => [
      ...checkPrompt(config, parameters),
      ...checkOutputSchema(config.outputSchema),
      ...(await checkModels(deps, config, parameters)),
      ...(await checkDeclared(deps, config.modelId, config.declaredModel)),
    ],
    listWarnings: async (config, { parameters, offers }) => [
      ...warnOfSchema(config.outputSchema),
      ...(await warnOfProviders(deps, toModelIds(config), config)),
      ...(await listModelWarnings(deps, {
        named: listNamed(config),
        declared: toDeclared(config),
        offers,
        quote: await quotePrompt(deps, config, toQuoted(config, parameters)),
      })),
    ],
    modelIdsOf: toModelIds,
    withModel: ({ declaredModel: declared, ...config }, modelId) => ({
      ...config,
      ...(declared !== undefined && modelId === config.modelId ? { declaredModel: declared } : {}),
      modelId,
      fallbackModels: [],
    }),
    quoteCost: (config, parameters, { input }) => quotePrompt(deps, config, { ...toQuoted(config, parameters), input }),
    explainUnpriced: (config) => explainUnpriced(deps, toModelIds(config), { ...config, declared: toDeclared(config) }),
    outputOf: openContract,
    toPublic: ({ modelId, maxTokens, sellsTruncated, declaredModel: declared, webSearch, provider }) => ({
      model: toShownName(modelId),
      ...(declared === undefined ? {} : { isModelDeclared: true }),
      maxTokens,
      sellsTruncated,
      ...(webSearch === undefined ? {} : { searchesWeb: true }),
      ...toPromises(provider),
    }),
    isReady: async (version) => askOpenRouter(deps, version, ask(version)),
    holdRun: async (version, callId) => holdOpenRouter(deps, version, { ...ask(version), callId }),
    releaseRun: async (callId) => deps.platformKey?.budget?.release(callId),
    showPrompt: (version, input) => showMessages(prepare(version).prompt, { input, parameters: version.parameters }),
    run: (version, input, context) =>
      runInstant(deps, { version, input, context, prepared: prepare(version), wanted: ask(version) }),
  };
}

interface InstantRun {
  version: PublishedVersion;
  input: Record<string, unknown>;
  context: RunContext;
  prepared: Prepared;
  wanted: Wanted;
}

async function runInstant(deps: ExecutionDeps, run: InstantRun): Promise<Outcome> {
  const { version, input, context, prepared, wanted } = run;
  const { config, prompt, contract } = prepared;
  const { usable: models, faults } = await chooseModels(deps, wanted.models, wanted);
  const key = await findOpenRouterKey(deps, version);
  if (models.length === 0 || key === null) {
    return failBefore(faults[0]?.fault ?? (await deps.explainMissingKey(version.ownerId, OPENROUTER)));
  }
  const attached = await attachFiles(deps, version.parameters, input);
  if (!attached.ok) {
    return failBefore(attached.cause, attached.problem);
  }
  const messages = renderMessages(prompt, input, { files: attached.files });
  const call = { models, settings: config, messages, inputs: attached.parameters, contract };
  const outcome = await runChat(deps, {
    version,
    context,
    upstream: deps.openRouter,
    key,
    request: toChatRequest(call),
    sellsTruncated: config.sellsTruncated,
    contract,
    isDeclared: models.some(({ isDeclared }) => isDeclared),
  });
  return withExpectedCost(outcome, expectCost(call));
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
  return { models: toModelIds(config), settings: config, parameters, allowsUserMessage: false, declared };
}

async function checkModels(
  deps: ExecutionDeps,
  config: InstantConfig,
  parameters: readonly Parameter[],
): Promise<FieldProblem[]> {
  const { pdfEngine } = config;
  const checked = await Promise.all(
    listNamed(config).map(async ({ modelId, path }, index) => {
      const { model } = await findNamedModel(deps, modelId, index === 0 ? toDeclared(config) : null);
      const nearest = model === null ? await deps.findNearestModels(modelId) : [];
      return [
        ...checkModel({ model, modelId, path, settings: config, nearest, clock: deps.clock }),
        ...checkInputs(model, { parameters, pdfEngine }),
      ];
    }),
  );
  return [...checked.flat(), ...(await checkProvider(deps, toModelIds(config), config))];
}
