import type { ChatMessage, ChatRequest } from '#upstreams/index.ts';
import type { ChatSettings } from './chat-settings.ts';
import { askForJson, type JsonAbility } from './ask-for-json.ts';
import { maxTokensOf, toModalities } from './check-model.ts';
import type { UsableModel } from './named-model.ts';
import type { OutputContract } from './output-contract.ts';

interface RequestParts {
  /** At least one; the others are asked in their order when it fails, and OpenRouter bills only the one that answers. */
  models: readonly UsableModel[];
  settings: ChatSettings;
  messages: readonly ChatMessage[];
  contract: OutputContract | null;
}

/** A request to OpenRouter. Modalities are named only for models that make images: text is what everybody answers. */
export function toChatRequest({ models, settings, messages, contract }: RequestParts): ChatRequest {
  const [first, ...fallbacks] = models;
  if (!first) {
    throw new RangeError('A request needs a model.');
  }
  const modalities = toModalities(first.model);
  const asked = contract === null ? { messages } : askForJson({ contract, messages, takes: toAbility(models) });
  return {
    model: first.wireName,
    ...(fallbacks.length > 0 ? { fallbackModels: fallbacks.map(({ wireName }) => wireName) } : {}),
    ...asked,
    // The catalogue may have changed since publishing.
    maxTokens: Math.min(settings.maxTokens, maxTokensOf(first.model)),
    temperature: settings.temperature,
    topP: settings.topP,
    frequencyPenalty: settings.frequencyPenalty,
    presencePenalty: settings.presencePenalty,
    ...(messages.some(holdsPdf) ? { pdfEngine: settings.pdfEngine } : {}),
    ...(settings.reasoning ? { reasoning: settings.reasoning } : {}),
    ...(settings.webSearch ? { webSearch: settings.webSearch } : {}),
    // A provider that does not know the format would otherwise be asked without it.
    ...(contract !== null && 'responseFormat' in asked ? { provider: { requireParameters: true } } : {}),
    ...(modalities.includes('image') ? { modalities, imageConfig: settings.imageConfig } : {}),
  };
}

function holdsPdf({ content }: ChatMessage): boolean {
  return (
    typeof content !== 'string' &&
    content.some((part) => part.type === 'media' && part.contentType === 'application/pdf')
  );
}

/** What all of the models can do, because any of them may answer. */
function toAbility(models: readonly UsableModel[]): JsonAbility {
  const all = (parameter: string) => models.every(({ model }) => model.supportedParameters.includes(parameter));
  return all('structured_outputs') ? 'schema' : all('response_format') ? 'json' : 'text';
}
