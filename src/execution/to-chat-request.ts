import type { ChatMessage, ChatRequest } from '#upstreams/index.ts';
import type { ChatSettings } from './chat-settings.ts';
import { maxTokensOf, toModalities } from './check-model.ts';
import { measureMessages } from './measure-prompt.ts';
import type { UsableModel } from './named-model.ts';
import { toProvider } from './to-provider.ts';

interface RequestParts {
  /** At least one; the others are asked in their order when it fails, and OpenRouter bills only the one that answers. */
  models: readonly UsableModel[];
  settings: ChatSettings;
  messages: readonly ChatMessage[];
}

/** A request to OpenRouter. Modalities are named only for models that make images: text is what everybody answers. */
export function toChatRequest({ models, settings, messages }: RequestParts): ChatRequest {
  const [first, ...fallbacks] = models;
  if (!first) {
    throw new RangeError('A request needs a model.');
  }
  const modalities = toModalities(first.model);
  return {
    model: first.wireName,
    ...(fallbacks.length > 0 ? { fallbackModels: fallbacks.map(({ wireName }) => wireName) } : {}),
    messages,
    provider: toProvider({ models, settings, prompt: measureMessages(messages) }),
    // The catalogue may have changed since publishing.
    maxTokens: Math.min(settings.maxTokens, maxTokensOf(first.model)),
    temperature: settings.temperature,
    topP: settings.topP,
    frequencyPenalty: settings.frequencyPenalty,
    presencePenalty: settings.presencePenalty,
    ...(modalities.includes('image') ? { modalities, imageConfig: settings.imageConfig } : {}),
  };
}
