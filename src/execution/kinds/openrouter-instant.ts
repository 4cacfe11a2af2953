import { z } from 'zod';
import type { FieldProblem } from '#kit/index.ts';
import type { CostQuote, Parameter, PublishedVersion, ResourceKind } from '#resources/index.ts';
import { askOpenRouter, holdOpenRouter } from '../ask-openrouter.ts';
import { chatAnswer, chatAnswerExample } from '../chat-answer.ts';
import { chatEvidence } from '../chat-evidence.ts';
import { chatSettings, modelName, templateText } from '../chat-settings.ts';
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
    settlementPoints: ['on_success', 'upfront'],
    integrationOf: () => OPENROUTER,
    checkPublishable: async (config, parameters) => [
      ...checkPrompt(config, parameters),
      ...(await checkModels(deps, config)),
    ],
    listWarnings: async (config, { parameters, offers }) => [
      ...(await warnOfProviders(deps, toModelIds(config), config)),
      ...(await listModelWarnings(deps, {
        named: listNamed(config),
        offers,
        quote: await quote(deps, config, { parameters }),
      })),
    ],
    modelIdsOf: toModelIds,
    quoteCost: (config, parameters, { input }) => quote(deps, config, { parameters, input }),
    explainUnpriced: (config) => explainUnpriced(deps, toModelIds(config), config),
    toPublic: ({ modelId, maxTokens, sellsTruncated, provider }) => ({
      model: toShownName(modelId),
      maxTokens,
      sellsTruncated,
      ...toPromises(provider),
    }),
    isReady: async (version) => askOpenRouter(deps, version, toWanted(deps, prepare(version), version.parameters)),
    holdRun: async (version, callId) => {
      const wanted = toWanted(deps, prepare(version), version.parameters);
      return holdOpenRouter(deps, version, { ...wanted, callId });
    },
    releaseRun: async (callId) => deps.platformKey?.budget?.release(callId),
    showPrompt: (version, input) => renderMessages(prepare(version).prompt, input),
    run: async (version, input, context) => {
      const { config, prompt } = prepare(version);
      const { usable: models, faults } = await chooseModels(deps, toModelIds(config));
      const key = await findOpenRouterKey(deps, version);
      if (models.length === 0 || key === null) {
        return failBefore(faults[0]?.fault ?? (await deps.explainMissingKey(version.ownerId, OPENROUTER)));
      }
      const call = { models, settings: config, messages: renderMessages(prompt, input) };
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
  config: InstantConfig,
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
      ? measurePrompt(compiled, parameters, { allowsUserMessage: false })
      : measureMessages(renderMessages(compiled, input));
  const { usable: models } = await chooseModels(deps, toModelIds(config));
  return quoteCost({ models, settings: config, prompt, feePercent: deps.creditFeePercent });
}

async function checkModels(deps: ExecutionDeps, config: InstantConfig): Promise<FieldProblem[]> {
  const checked = await Promise.all(
    listNamed(config).map(async ({ modelId, path }) => {
      const { model } = await findNamedModel(deps, modelId);
      const nearest = model === null ? await deps.findNearestModels(modelId) : [];
      return checkModel({ model, modelId, path, settings: config, nearest, clock: deps.clock });
    }),
  );
  return [...checked.flat(), ...(await checkProvider(deps, toModelIds(config), config))];
}
