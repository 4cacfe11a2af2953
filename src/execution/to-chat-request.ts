import type { ChatMessage, ChatRequest } from '#upstreams/index.ts';
import type { ChatSettings } from './chat-settings.ts';
import { maxTokensOf, toModalities } from './check-model.ts';
import type { MediaSettings } from './media-settings.ts';
import type { UsableModel } from './named-model.ts';

interface RequestParts {
  /** At least one; the others are asked in their order when it fails, and OpenRouter bills only the one that answers. */
  models: readonly UsableModel[];
  settings: ChatSettings & Pick<MediaSettings, 'audio'>;
  messages: readonly ChatMessage[];
}

/** A request to OpenRouter. Modalities are named only where more than text is wanted, which everybody answers. */
export function toChatRequest({ models, settings, messages }: RequestParts): ChatRequest {
  const [first, ...fallbacks] = models;
  if (!first) {
    throw new RangeError('A request needs a model.');
  }
  const { audio } = settings;
  const modalities = toModalities(first.model, { isSpoken: audio !== undefined });
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
    // Sound comes in a stream as raw samples alone.
    ...(audio ? { modalities, audio: { voice: audio.voice ?? 'alloy', format: 'pcm16' } } : {}),
    ...(modalities.includes('image') ? { modalities, imageConfig: settings.imageConfig } : {}),
  };
}
