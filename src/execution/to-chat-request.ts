import type { Parameter } from '#resources/index.ts';
import type { ChatMessage, ChatRequest } from '#upstreams/index.ts';
import type { ChatSettings } from './chat-settings.ts';
import { askForJson, type JsonAbility } from './ask-for-json.ts';
import { maxTokensOf, toModalities } from './check-model.ts';
import { measureMessages } from './measure-prompt.ts';
import type { MediaSettings } from './media-settings.ts';
import type { UsableModel } from './named-model.ts';
import type { OutputContract } from './output-contract.ts';
import { toProvider } from './to-provider.ts';

interface RequestParts {
  /** At least one; the others are asked in their order when it fails, and OpenRouter bills only the one that answers. */
  models: readonly UsableModel[];
  settings: ChatSettings & Pick<MediaSettings, 'audio'>;
  messages: readonly ChatMessage[];
  contract: OutputContract | null;
  /** Parameters whose files the messages hold. */
  inputs?: readonly Parameter[];
}

/** A request to OpenRouter. Modalities are named only where more than text is wanted, which everybody answers. */
export function toChatRequest({ models, settings, messages, contract, inputs = [] }: RequestParts): ChatRequest {
  const [first, ...fallbacks] = models;
  if (!first) {
    throw new RangeError('A request needs a model.');
  }
  const { audio } = settings;
  const modalities = toModalities(first.model, { isSpoken: audio !== undefined });
  const asked = contract === null ? { messages } : askForJson({ contract, messages, takes: toAbility(models) });
  // Without the schema, which is reckoned beside the prompt wherever it stands.
  const provider = toProvider({ models, settings, prompt: measureMessages(messages), inputs });
  return {
    model: first.wireName,
    ...(fallbacks.length > 0 ? { fallbackModels: fallbacks.map(({ wireName }) => wireName) } : {}),
    ...asked,
    // A provider that does not know the format would otherwise be asked without it.
    provider: contract !== null && 'responseFormat' in asked ? { ...provider, requireParameters: true } : provider,
    // The catalogue may have changed since publishing.
    maxTokens: Math.min(settings.maxTokens, maxTokensOf(first.model)),
    temperature: settings.temperature,
    topP: settings.topP,
    frequencyPenalty: settings.frequencyPenalty,
    presencePenalty: settings.presencePenalty,
    ...(messages.some(holdsPdf) ? { pdfEngine: settings.pdfEngine } : {}),
    ...(settings.reasoning ? { reasoning: settings.reasoning } : {}),
    ...(settings.webSearch ? { webSearch: settings.webSearch } : {}),
    // Sound comes in a stream as raw samples alone.
    ...(audio ? { modalities, audio: { voice: audio.voice ?? 'alloy', format: 'pcm16' } } : {}),
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
