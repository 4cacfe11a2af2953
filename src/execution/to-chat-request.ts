import type { ChatMessage, ChatRequest } from '#upstreams/index.ts';
import type { ChatSettings } from './chat-settings.ts';
import { maxTokensOf, toModalities } from './check-model.ts';
import type { KnownModel } from './execution-deps.ts';

interface RequestParts {
  model: KnownModel;
  settings: ChatSettings;
  messages: readonly ChatMessage[];
}

/** A request to OpenRouter. Modalities are named only for models that make images: text is what everybody answers. */
export function toChatRequest({ model, settings, messages }: RequestParts): ChatRequest {
  const modalities = toModalities(model);
  return {
    model: model.openrouterId,
    messages,
    // The catalogue may have changed since publishing.
    maxTokens: Math.min(settings.maxTokens, maxTokensOf(model)),
    temperature: settings.temperature,
    topP: settings.topP,
    frequencyPenalty: settings.frequencyPenalty,
    presencePenalty: settings.presencePenalty,
    ...(modalities.includes('image') ? { modalities, imageConfig: settings.imageConfig } : {}),
  };
}
