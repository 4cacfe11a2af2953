import { MAX_NUMBER_LENGTH } from '#kit/index.ts';
import {
  isMedia,
  MAX_USER_MESSAGE_LENGTH,
  toMaxLength,
  type CompiledTemplate,
  type Parameter,
} from '#resources/index.ts';
import type { ChatMessage } from '#upstreams/index.ts';
import type { Prompt } from './prompt.ts';

/** Estimated tokens of a prompt as it is sent. */
export interface PromptSize {
  typicalTokens: number;
  worstTokens: number;
}

/** English text; said in the basis of every quote. */
export const CHARACTERS_PER_TOKEN = 4;
/**
 * In UTF-8. At worst each byte is a token: the tokenizers of language models fall back to single bytes, so none needs more.
 * Lengths of what buyers write are limited in code points.
 */
const MOST_BYTES_PER_CODE_POINT = 4;
/** Roles and separators of one message, and the begin of the answer. */
const TOKENS_PER_MESSAGE = 4;
const TOKENS_PER_REPLY = 3;
const TYPICAL_SHARE = 0.25;
const MOST_TYPICAL_CHARACTERS = 400;
const TYPICAL_USER_MESSAGE = 1_000;
const TYPICAL_NUMBER = 4;
const LONGEST_BOOLEAN = 5;
/** Brackets around the name of a file. */
const MEDIA_LABEL = 8;

/**
 * Of any input that the parameters allow. Typical: values as long as their example or default, else a quarter of what they
 * may be, at four characters a token. At worst: values as long as allowed, at one token a byte.
 */
export function measurePrompt(
  prompt: Prompt,
  parameters: readonly Parameter[],
  { allowsUserMessage }: { allowsUserMessage: boolean },
): PromptSize {
  const templates = [prompt.system, ...(prompt.user === null ? [] : [prompt.user])];
  const sizes = templates.map((template) => measureTemplate(template, parameters));
  const messages = allowsUserMessage ? 2 : templates.length;
  const frame = messages * TOKENS_PER_MESSAGE + TOKENS_PER_REPLY;
  const extra = allowsUserMessage ? MAX_USER_MESSAGE_LENGTH * MOST_BYTES_PER_CODE_POINT : 0;
  const typicalExtra = allowsUserMessage ? toTokens(TYPICAL_USER_MESSAGE) : 0;
  return {
    typicalTokens: sizes.reduce((sum, size) => sum + size.typicalTokens, frame + typicalExtra),
    worstTokens: sizes.reduce((sum, size) => sum + size.worstTokens, frame + extra),
  };
}

/** Of the texts of messages as they are sent. */
export function measureMessages(messages: readonly Pick<ChatMessage, 'content'>[]): PromptSize {
  const frame = messages.length * TOKENS_PER_MESSAGE + TOKENS_PER_REPLY;
  const texts = messages.map(({ content }) =>
    typeof content === 'string' ? content : content.map((part) => (part.type === 'text' ? part.text : '')).join(''),
  );
  return {
    typicalTokens: texts.reduce((sum, text) => sum + toTokens(text.length), frame),
    worstTokens: texts.reduce((sum, text) => sum + Buffer.byteLength(text), frame),
  };
}

/** Of one value that is sent beside the prompt. */
export function measureParameter(parameter: Parameter): PromptSize {
  const { typical, longest } = measureValue(parameter);
  return { typicalTokens: toTokens(typical), worstTokens: longest };
}

function measureTemplate(template: CompiledTemplate, parameters: readonly Parameter[]): PromptSize {
  const lengths = new Map(parameters.map((parameter) => [parameter.name, measureValue(parameter)]));
  let characters = 0;
  let worstTokens = 0;
  for (const segment of template.segments) {
    if ('text' in segment) {
      characters += segment.text.length;
      worstTokens += Buffer.byteLength(segment.text);
    } else {
      const length = lengths.get(segment.name) ?? { typical: 0, longest: 0 };
      characters += length.typical;
      worstTokens += length.longest;
    }
  }
  return { typicalTokens: toTokens(characters), worstTokens };
}

/** Characters of a parameter's value as it typically is, and bytes of the longest. */
function measureValue(parameter: Parameter): { typical: number; longest: number } {
  if (isMedia(parameter)) {
    // A tag names the file at most; the file itself is priced by `priceMediaInputs`.
    return { typical: parameter.name.length, longest: 2 * parameter.name.length + MEDIA_LABEL };
  }
  const given = parameter.example ?? parameter.default;
  const shown = given === undefined ? undefined : String(given).length;
  switch (parameter.type) {
    case 'enum': {
      const longest = Math.max(0, ...(parameter.options ?? []).map((option) => Buffer.byteLength(option)));
      return { typical: shown ?? longest, longest };
    }
    case 'number':
    case 'integer':
      return { typical: shown ?? TYPICAL_NUMBER, longest: MAX_NUMBER_LENGTH };
    case 'boolean':
      return { typical: LONGEST_BOOLEAN, longest: LONGEST_BOOLEAN };
    default: {
      const most = toMaxLength(parameter);
      const typical = shown ?? Math.min(Math.ceil(most * TYPICAL_SHARE), MOST_TYPICAL_CHARACTERS);
      return { typical, longest: most * MOST_BYTES_PER_CODE_POINT };
    }
  }
}

export function toTokens(characters: number): number {
  return Math.ceil(characters / CHARACTERS_PER_TOKEN);
}
