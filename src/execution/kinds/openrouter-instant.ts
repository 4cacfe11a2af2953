import { z } from 'zod';
import type { FieldProblem } from '#kit/index.ts';
import type { Parameter, PublishedVersion, ResourceKind } from '#resources/index.ts';
import { askOpenRouter, holdOpenRouter } from '../ask-openrouter.ts';
import { chatAnswer, chatAnswerExample } from '../chat-answer.ts';
import { chatEvidence } from '../chat-evidence.ts';
import { chatSettings, modelName, templateText } from '../chat-settings.ts';
import { checkModel } from '../check-model.ts';
import { expectCost, withExpectedCost } from '../expect-cost.ts';
import type { ExecutionDeps } from '../execution-deps.ts';
import { findOpenRouterKey, OPENROUTER, type Wanted } from '../find-key.ts';
import { attachFiles } from '../inputs/attach-files.ts';
import { checkInputs } from '../inputs/input-modalities.ts';
import { listModelWarnings } from '../list-model-warnings.ts';
import { chooseModels, findNamedModel, toShownName } from '../named-model.ts';
import { checkPrompt, compilePrompt, renderMessages, showMessages } from '../prompt.ts';
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
  ...chatSettings,
});

type InstantConfig = z.output<typeof configSchema>;
type Prepared = { config: InstantConfig; prompt: ReturnType<typeof compilePrompt> };

/** A prompt with parameters on one model of OpenRouter, run with the creator's key. */
export function openOpenRouterInstant(deps: ExecutionDeps): ResourceKind<InstantConfig> {
  const prepare = remember((version: PublishedVersion): Prepared => {
    const config = configSchema.parse(version.config);
    return { config, prompt: compilePrompt(config, version.parameters) };
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
      ...(await checkModels(deps, config, parameters)),
    ],
    listWarnings: async (config, { parameters, offers }) =>
      listModelWarnings(deps, {
        named: listNamed(config),
        offers,
        quote: await quotePrompt(deps, config, toQuoted(config, parameters)),
      }),
    modelIdsOf: toModelIds,
    withModel: (config, modelId) => ({ ...config, modelId, fallbackModels: [] }),
    quoteCost: (config, parameters) => quotePrompt(deps, config, toQuoted(config, parameters)),
    toPublic: ({ modelId, maxTokens, sellsTruncated }) => ({
      model: toShownName(modelId),
      maxTokens,
      sellsTruncated,
    }),
    isReady: async (version) => askOpenRouter(deps, version, ask(version)),
    holdRun: async (version, callId) => holdOpenRouter(deps, version, { ...ask(version), callId }),
    releaseRun: async (callId) => deps.platformKey?.budget?.release(callId),
    showPrompt: (version, input) => showMessages(prepare(version).prompt, { input, parameters: version.parameters }),
    run: async (version, input, context) => {
      const { config, prompt } = prepare(version);
      const { models: names, modalities } = ask(version);
      const { usable: models, faults } = await chooseModels(deps, names, modalities);
      const key = await findOpenRouterKey(deps, version);
      if (models.length === 0 || key === null) {
        return failBefore(faults[0]?.fault ?? (await deps.explainMissingKey(version.ownerId, OPENROUTER)));
      }
      const attached = await attachFiles(deps, version.parameters, input);
      if (!attached.ok) {
        return failBefore(attached.cause, attached.problem);
      }
      const messages = renderMessages(prompt, input, { files: attached.files });
      const call = { models, settings: config, messages, inputs: attached.parameters };
      const { sellsTruncated } = config;
      const run = { version, context, upstream: deps.openRouter, key, request: toChatRequest(call), sellsTruncated };
      return withExpectedCost(await runChat(deps, run), expectCost(call));
    },
  };
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
  return { models: toModelIds(config), settings: config, parameters, allowsUserMessage: false };
}

async function checkModels(
  deps: ExecutionDeps,
  config: InstantConfig,
  parameters: readonly Parameter[],
): Promise<FieldProblem[]> {
  const { pdfEngine } = config;
  const checked = await Promise.all(
    listNamed(config).map(async ({ modelId, path }) => {
      const { model } = await findNamedModel(deps, modelId);
      const nearest = model === null ? await deps.findNearestModels(modelId) : [];
      return [
        ...checkModel({ model, modelId, path, settings: config, nearest, clock: deps.clock }),
        ...checkInputs(model, { parameters, pdfEngine }),
      ];
    }),
  );
  return checked.flat();
}
