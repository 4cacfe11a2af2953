import type { Clock, FieldProblem } from '#kit/index.ts';
import { withoutCode } from '#resources/index.ts';
import type { KnownModel } from './execution-deps.ts';
import type { ChatSettings } from './chat-settings.ts';

/** Kinds of output that reach a buyer: text as it is, images as files. */
export type Output = 'text' | 'image' | 'audio';

/** Why a model cannot run now, for the creator; null when it can. Cheap: asked on every call. */
export function findModelFault(model: KnownModel | null, modelId: string, clock: Clock): string | null {
  if (model === null) {
    return `model_unknown: The catalogue has no model "${modelId}".`;
  }
  if (!model.isActive) {
    return `model_gone: The model "${modelId}" is no longer offered.`;
  }
  if (model.expirationDate !== null && model.expirationDate < new Date(clock.now()).toISOString().slice(0, 10)) {
    return `model_expired: The model "${modelId}" ended on ${model.expirationDate}.`;
  }
  return null;
}

/** The same with what its owner does about it. */
export function toModelCause(fault: string): string {
  return `${fault} Choose another one and publish anew; should it return, what is paused for it is sold again by itself.`;
}

/**
 * What to ask for: an image model is asked for text too only if it can write, because otherwise nobody serves it. A router
 * that can write is asked for text alone, because what it chooses may do nothing else.
 */
export function toModalities(model: KnownModel, { isSpoken = false } = {}): Output[] {
  if (isSpoken) {
    return ['text', 'audio'];
  }
  const outputs = (['image', 'text'] as const).filter((output) => model.outputModalities.includes(output));
  return model.isRouter && outputs.includes('text') ? ['text'] : outputs;
}

export function maxTokensOf(model: KnownModel): number {
  return model.maxCompletionTokens ?? model.contextLength ?? Number.MAX_SAFE_INTEGER;
}

const wireNames = {
  temperature: 'temperature',
  topP: 'top_p',
  frequencyPenalty: 'frequency_penalty',
  presencePenalty: 'presence_penalty',
} as const;

interface ModelQuestion {
  model: KnownModel | null;
  modelId: string;
  /** JSON Pointer of the field that names the model. */
  path: string;
  settings: ChatSettings;
  /** Ids that are like it, for a name that the catalogue does not have. */
  nearest: readonly string[];
  clock: Clock;
}

/** Everything that stands against publishing with this model in a chat. */
export function checkModel(question: ModelQuestion): FieldProblem[] {
  const { model, path, settings } = question;
  const problems = checkChoice(question);
  if (model === null || problems.length > 0) {
    return problems;
  }
  if (toModalities(model).length === 0) {
    return [{ path, message: `This model makes neither text nor images (${model.outputModalities.join(', ')}).` }];
  }
  return checkSettings(model, settings);
}

/** What stands against this model by whatever route. */
export function checkChoice({ model, modelId, path, nearest, clock }: Omit<ModelQuestion, 'settings'>): FieldProblem[] {
  if (modelId.trim() === '') {
    return [{ path, message: 'Choose a model.' }];
  }
  const fault = findModelFault(model, modelId, clock);
  if (model === null || fault !== null) {
    const meant = model === null && nearest.length > 0 ? ` Did you mean ${nearest.join(' or ')}?` : '';
    return [{ path, message: `${withoutCode(fault ?? '')}${meant}` }];
  }
  if (model.openrouterId.startsWith('~')) {
    return [{ path, message: 'This name moves on to newer models. Choose the model that it stands for today.' }];
  }
  return [];
}

function checkSettings(model: KnownModel, settings: ChatSettings): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const most = maxTokensOf(model);
  if (settings.maxTokens > most) {
    problems.push({ path: '/config/maxTokens', message: `${model.openrouterId} writes at most ${most} tokens.` });
  }
  for (const [field, wireName] of Object.entries(wireNames) as [keyof typeof wireNames, string][]) {
    if (settings[field] !== undefined && !model.supportedParameters.includes(wireName)) {
      problems.push({ path: `/config/${field}`, message: `${model.openrouterId} does not take ${wireName}.` });
    }
  }
  if (settings.reasoning && !model.supportedParameters.includes('reasoning')) {
    problems.push({ path: '/config/reasoning', message: `${model.openrouterId} takes no reasoning settings.` });
  }
  if ((settings.reasoning?.maxTokens ?? 0) >= settings.maxTokens) {
    const message = 'Thinking takes its tokens from maxTokens: leave some of them for the answer.';
    problems.push({ path: '/config/reasoning/maxTokens', message });
  }
  if (settings.webSearch && !model.supportedParameters.includes('tools')) {
    problems.push({
      path: '/config/webSearch',
      message: `${model.openrouterId} takes no tools, and searches are one. Choose a model with "tools" among its supported parameters.`,
    });
  }
  if (settings.imageConfig && !model.outputModalities.includes('image')) {
    problems.push({ path: '/config/imageConfig', message: `${model.openrouterId} makes no images.` });
  }
  return problems;
}
