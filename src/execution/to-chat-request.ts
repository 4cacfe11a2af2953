import type { ChatMessage, ChatRequest } from '#upstreams/index.ts';
import type { ChatSettings } from './chat-settings.ts';
import { maxTokensOf, toModalities } from './check-model.ts';
import type { UsableModel } from './named-model.ts';

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
    // The catalogue may have changed since publishing.
    maxTokens: Math.min(settings.maxTokens, maxTokensOf(first.model)),
    temperature: settings.temperature,
    topP: settings.topP,
    frequencyPenalty: settings.frequencyPenalty,
    presencePenalty: settings.presencePenalty,
    ...(messages.some(holdsPdf) ? { pdfEngine: settings.pdfEngine } : {}),
    ...(modalities.includes('image') ? { modalities, imageConfig: settings.imageConfig } : {}),
  };
}

function holdsPdf({ content }: ChatMessage): boolean {
  return (
    typeof content !== 'string' &&
    content.some((part) => part.type === 'media' && part.contentType === 'application/pdf')
  );
}
