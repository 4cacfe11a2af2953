import { z } from 'zod';
import type { CostQuote, Outcome, Parameter, PublishedVersion, ResourceKind, RunContext } from '#resources/index.ts';
import { askOpenRouter, holdOpenRouter } from '../ask-openrouter.ts';
import { anyAnswer, chatAnswer, chatAnswerExample } from '../chat-answer.ts';
import { chatEvidence } from '../chat-evidence.ts';
import { chatSettings, modelName, templateText } from '../chat-settings.ts';
import { expectCost, withExpectedCost } from '../expect-cost.ts';
import type { ExecutionDeps } from '../execution-deps.ts';
import { findOpenRouterKey, OPENROUTER, type Wanted } from '../find-key.ts';
import { checkModels, chooseRoute, listRouteWarnings, quoteInstant, toPromptRules } from '../instant-route.ts';
import { listModelWarnings } from '../list-model-warnings.ts';
import { measureMessages, measurePrompt } from '../measure-prompt.ts';
import { mediaAnswers, mediaExamples } from '../media-answer.ts';
import { mediaSettings } from '../media-settings.ts';
import { findRoute, type ModelRoute } from '../model-route.ts';
import { chooseModels, toShownName } from '../named-model.ts';
import { checkPrompt, compilePrompt, renderMessages } from '../prompt.ts';
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
  ...chatSettings,
  ...mediaSettings,
});

type InstantConfig = z.output<typeof configSchema>;
type Prepared = { config: InstantConfig; prompt: ReturnType<typeof compilePrompt> };

const answers = { chat: chatAnswer, ...mediaAnswers };
const answerExamples = { chat: chatAnswerExample, ...mediaExamples };

/** A prompt with parameters on one model of OpenRouter, run with the creator's key. */
export function openOpenRouterInstant(deps: ExecutionDeps): ResourceKind<InstantConfig> {
  const prepare = remember((version: PublishedVersion): Prepared => {
    const config = configSchema.parse(version.config);
    return { config, prompt: compilePrompt(config, version.parameters) };
  });
  /** As last seen when it was asked whether a model can run, which comes before each offer. */
  const routes = new Map<string, ModelRoute>();
  return {
    name: 'openrouter_instant',
    title: 'OpenRouter Instant',
    summary:
      'A prompt template on a model of OpenRouter for text, pictures, sound, films, transcripts, embeddings or ranking, run with your OpenRouter key.',
    configSchema,
    evidenceSchema: chatEvidence,
    answerSchema: anyAnswer,
    answerExample: chatAnswerExample,
    answerOf: ({ modelId }) => {
      const route = routes.get(modelId);
      return route ? { schema: answers[route], example: answerExamples[route] } : null;
    },
    examples: instantExamples,
    templateFields: ['systemPrompt', 'userMessage'],
    settlementPoints: ['on_success', 'upfront'],
    integrationOf: () => OPENROUTER,
    checkPublishable: async (config, parameters) => [
      ...(await checkTemplates(deps, config, parameters)),
      ...(await checkModels(deps, listNamed(config), { settings: config, parameters })),
    ],
    listWarnings: async (config, { parameters, offers }) => {
      const quoted = await quote(deps, config, parameters);
      return [
        ...(await listModelWarnings(deps, { named: listNamed(config), offers, quote: quoted })),
        ...listRouteWarnings(await chooseRoute(deps, toModelIds(config)), quoted, config),
      ];
    },
    modelIdsOf: toModelIds,
    quoteCost: (config, parameters) => quote(deps, config, parameters),
    toPublic: ({ modelId, maxTokens, sellsTruncated }) => ({
      model: toShownName(modelId),
      maxTokens,
      sellsTruncated,
    }),
    isReady: async (version) => {
      const prepared = prepare(version);
      const { modelId } = prepared.config;
      routes.set(modelId, await chooseRoute(deps, toModelIds(prepared.config)));
      return askOpenRouter(deps, version, toWanted(deps, prepared, version.parameters));
    },
    holdRun: async (version, callId) => {
      const wanted = toWanted(deps, prepare(version), version.parameters);
      return holdOpenRouter(deps, version, { ...wanted, callId });
    },
    releaseRun: async (callId) => deps.platformKey?.budget?.release(callId),
    showPrompt: (version, input) => renderMessages(prepare(version).prompt, input),
    run: (version, input, context) => runInstant(deps, { ...prepare(version), version, input, context }),
  };
}

interface InstantCall extends Prepared {
  version: PublishedVersion;
  input: Record<string, unknown>;
  context: RunContext;
}

/** By the route of the first model that can run. */
async function runInstant(deps: ExecutionDeps, call: InstantCall): Promise<Outcome> {
  const { version, context, config, prompt, input } = call;
  const { usable: models, faults } = await chooseModels(deps, toModelIds(config));
  const key = await findOpenRouterKey(deps, version);
  const [first] = models;
  if (first === undefined || key === null) {
    return failBefore(faults[0]?.fault ?? (await deps.explainMissingKey(version.ownerId, OPENROUTER)));
  }
  const messages = renderMessages(prompt, input);
  const asked = { models, settings: config, messages };
  const route = findRoute(first.model) ?? 'chat';
  if (route === 'chat') {
    const { sellsTruncated } = config;
    const run = { version, context, upstream: deps.openRouter, key, request: toChatRequest(asked), sellsTruncated };
    return withExpectedCost(await runChat(deps, run), expectCost(asked));
  }
  const { parameters } = version;
  const text = messages.map(({ content }) => content).join('\n\n');
  const request = { model: first.wireName };
  const run = { version, context, key, route, settings: config, prompt: text, input, parameters, request };
  const size = measureMessages(messages);
  const expected = await quoteInstant(deps, { models, prompt: size }, { settings: config, parameters });
  return withExpectedCost(await runMedia(deps, run), expected);
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
    quoteWorst: async () => (await quotePrepared(deps, prepared, parameters))?.worstUsd ?? null,
  };
}

/** Null too while the template cannot be read. */
async function quote(deps: ExecutionDeps, config: InstantConfig, parameters: Parameter[]): Promise<CostQuote | null> {
  return (await checkTemplates(deps, config, parameters)).length > 0
    ? null
    : quotePrepared(deps, { config, prompt: compilePrompt(config, parameters) }, parameters);
}

async function quotePrepared(
  deps: ExecutionDeps,
  { config, prompt: compiled }: Prepared,
  parameters: Parameter[],
): Promise<CostQuote | null> {
  const prompt = measurePrompt(compiled, parameters, { allowsUserMessage: false });
  const { usable: models } = await chooseModels(deps, toModelIds(config));
  return quoteInstant(deps, { models, prompt }, { settings: config, parameters });
}

async function checkTemplates(deps: ExecutionDeps, config: InstantConfig, parameters: Parameter[]) {
  const route = await chooseRoute(deps, toModelIds(config));
  return checkPrompt(config, parameters, toPromptRules(route, { settings: config, parameters }));
}
