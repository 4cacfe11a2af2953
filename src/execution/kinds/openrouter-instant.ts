import { z } from 'zod';
import type { FieldProblem } from '#kit/index.ts';
import type { PublishedVersion, ResourceKind } from '#resources/index.ts';
import { chatAnswer, chatAnswerExample } from '../chat-answer.ts';
import { chatEvidence } from '../chat-evidence.ts';
import { chatSettings, modelName, templateText } from '../chat-settings.ts';
import { checkModel, findModelFault } from '../check-model.ts';
import type { ExecutionDeps } from '../execution-deps.ts';
import { findOpenRouterKey, NO_KEY, OPENROUTER } from '../find-key.ts';
import { checkPrompt, compilePrompt, renderMessages } from '../prompt.ts';
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
    .describe('Asked in order when the model fails; OpenRouter bills only the one that answers.'),
  ...chatSettings,
});

type InstantConfig = z.output<typeof configSchema>;

/** A prompt with parameters on one model of OpenRouter, run with the creator's key. */
export function openOpenRouterInstant(deps: ExecutionDeps): ResourceKind<InstantConfig> {
  const prepare = remember((version: PublishedVersion) => {
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
    toPublic: (config) => ({ model: config.modelId, maxTokens: config.maxTokens }),
    isReady: async (version) => {
      const { modelId } = prepare(version).config;
      const fault = findModelFault(await deps.findModel(modelId), modelId, deps.clock);
      if (fault !== null) {
        return { ready: false, cause: fault };
      }
      const key = await findOpenRouterKey(deps, version);
      return key ? { ready: true } : { ready: false, cause: NO_KEY };
    },
    run: async (version, input, context) => {
      const { config, prompt } = prepare(version);
      const model = await deps.findModel(config.modelId);
      const key = await findOpenRouterKey(deps, version);
      if (model === null || key === null) {
        return failBefore(findModelFault(model, config.modelId, deps.clock) ?? NO_KEY);
      }
      const messages = renderMessages(prompt, input);
      const request = {
        ...toChatRequest({ model, settings: config, messages }),
        fallbackModels: config.fallbackModels,
      };
      return runChat(deps, { version, context, upstream: deps.openRouter, key, request });
    },
  };
}

async function checkModels(deps: ExecutionDeps, config: InstantConfig): Promise<FieldProblem[]> {
  const named = [
    { modelId: config.modelId, path: '/config/modelId' },
    ...(config.fallbackModels ?? []).map((modelId, index) => ({ modelId, path: `/config/fallbackModels/${index}` })),
  ];
  const checked = await Promise.all(
    named.map(async ({ modelId, path }) =>
      checkModel({ model: await deps.findModel(modelId), modelId, path, settings: config, clock: deps.clock }),
    ),
  );
  return checked.flat();
}
